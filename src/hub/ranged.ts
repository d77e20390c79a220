import { Blocks } from './blocks.ts';
import { GAP, PIECE, SMALL } from './policy.ts';
import type { Remote } from './remote.ts';
import { type ByteSource, byteSource } from './source.ts';

/**
 * A file that is read in ranges. Reads that follow each other, as those of the tensors of a checkpoint do, are fetched
 * ahead; a small read elsewhere fetches little more than itself. `loaded` fires when nothing more is read for now.
 */
export function rangedSource(name: string, remote: Remote, loaded?: AbortSignal): ByteSource {
  const { size } = remote;
  let kept = { start: 0, bytes: remote.first };
  /** Where the last read ended, and how many followed each other before it. */
  let [last, run] = [0, 0];
  const blocks = new Blocks(remote, () => (kept.start === 0 ? kept.bytes : new Uint8Array(0)), loaded);

  return byteSource(
    name,
    size,
    async function* (start, end, signal) {
      run = start >= last && start - last <= GAP ? run + 1 : 0;
      last = end;
      const isKept = (): boolean => start >= kept.start && end <= kept.start + kept.bytes.length;
      if (!isKept() && (blocks.fits || end - start > SMALL || run > 1 || blocks.has(start, end))) {
        yield* blocks.read(start, end, signal);
        return;
      }
      if (!isKept()) {
        const bytes = new Uint8Array(Math.min(Math.max(end, start + PIECE), size) - start);
        let filled = 0;
        const put = (piece: Uint8Array): void => {
          bytes.set(piece, filled);
          filled += piece.length;
        };
        await remote.fetch(start, start + bytes.length, put, signal);
        kept = { start, bytes };
      }
      yield kept.bytes.subarray(start - kept.start, end - kept.start);
    },
    'network',
  );
}
