import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PEER_PRESET } from '../../../bench/cases.ts';
import { normwise, summarise } from '../../../bench/measure.ts';
import type { PresetName } from '../../../bench/parameters.ts';
import { TOLERANCE } from '../../../bench/peers/contest.ts';
import type { LoadTimes } from '../../../bench/peers/load.ts';
import {
  type BenchReport,
  type BenchRow,
  type Ceilings,
  type EngineName,
  figuresOf,
  LOADERS,
  type Loader,
} from '../../../bench/report.ts';
import { throwIfAborted } from '../../errors.ts';
import { COMMAND } from '../files.ts';
import type { CommandContext } from './context.ts';

/** Processes an engine. */
const ROUNDS = 3;

/**
 * Cold and warm starts of a ResNet, from an engine's own code to the first logits. Every cold one has a process of its
 * own (with a browser of its own, whose caches are empty), A B B A.
 */
export async function startRows(
  { ceilings, preset, engines }: { ceilings: Ceilings; preset: PresetName; engines: readonly EngineName[] },
  { runtime, signal, terminal }: CommandContext,
): Promise<Pick<BenchReport, 'rows' | 'notes'>> {
  const times = new Map<Loader, LoadTimes[]>(
    LOADERS.filter((name) => engines.includes(name)).map((name) => [name, []]),
  );
  const notes: string[] = [];
  const order = [...times.keys()];
  for (let round = 0; round < ROUNDS; round++, order.reverse()) {
    for (const engine of order) {
      if (!times.has(engine)) continue;
      terminal.note(`${round + 1} of ${ROUNDS}  starts of ${engine}`);
      const args = ['bench', '--start-of', engine, '--preset', preset, '--runtime', runtime, '--json'];
      const run = promisify(execFile)(process.execPath, [COMMAND, ...args], { signal, maxBuffer: 1 << 26 });
      try {
        times.get(engine)!.push(JSON.parse((await run).stdout));
      } catch (error) {
        throwIfAborted(signal, 'the bench');
        if (engine === 'tilewright') throw error;
        times.delete(engine);
        notes.push(`starts of ${engine} have no figure: ${(error as Error).message}`);
      }
    }
  }
  const [name, { image }] = PEER_PRESET[preset].load;
  const reference = times.get('tilewright')![0]!;
  const rows = (['cold', 'warm'] as const).flatMap((kind) => {
    const timing = (list: readonly LoadTimes[]) =>
      summarise(list.flatMap(({ ms: [first, ...others] }) => (kind === 'cold' ? [first!] : others)));
    const ours = timing(times.get('tilewright')!);
    return [...times].flatMap(([engine, list]): BenchRow[] => {
      const off = normwise(list[0]!.logits, reference.logits);
      if (!(off <= TOLERANCE)) {
        notes.push(`${kind} start of ${engine} has no figure: the result is ${off.toExponential(1)} off (normwise)`);
        return [];
      }
      const ms = timing(list);
      return [
        {
          suite: 'load',
          name: `${name} ${kind} start`,
          shape: `1x3x${image}x${image}`,
          dtype: 'float32',
          engine,
          ms,
          ...figuresOf(reference.work!, ms.median, 'float32', ceilings),
          pctOfRoof: null,
          ratioToTilewright: ms.median / ours.median,
        },
      ];
    });
  });
  notes.push(
    "Starts: from an engine's own code to the first logits, weights in memory; cold in a new process (in a browser that has cached nothing), warm again in the same one.",
  );
  return { rows, notes };
}
