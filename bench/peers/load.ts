import { throwIfAborted } from '../../src/errors.ts';
import { PEER_PRESET } from '../cases.ts';
import { normwise } from '../measure.ts';
import type { PresetName } from '../parameters.ts';
import type { Loader, Work } from '../report.ts';
import type { Competitor } from './contender.ts';
import { resnetTask } from './contest.ts';
import type { PeerFolders } from './packages.ts';

export interface LoadTimes {
  /**
   * Milliseconds of each start in this page or process, from the engine's own code to the first logits: the first is
   * cold.
   */
  readonly ms: readonly number[];
  /** The first logits; the others were the same. */
  readonly logits: readonly number[];
  /** What one image takes, where the engine knows. */
  readonly work: Work | undefined;
}

/**
 * Starts one engine again and again: its code, its device, a ResNet from bytes in memory, one image. Only in a page or
 * process that has done nothing else is the first of them cold.
 */
export async function timeLoads(
  engine: Loader,
  {
    folders,
    preset,
    starts,
    signal,
  }: { folders: PeerFolders; preset: PresetName; starts: number; signal?: AbortSignal },
): Promise<LoadTimes> {
  const [, size] = PEER_PRESET[preset].load;
  const task = resnetTask(size);
  const ms: number[] = [];
  let logits: Float32Array | undefined;
  let work: Work | undefined;
  while (ms.length < starts) {
    throwIfAborted(signal, 'the bench');
    const start = performance.now();
    const competitor = await open(engine, folders);
    const contender = await competitor.resnet!(task);
    await contender.run(1);
    ms.push(performance.now() - start);
    const got = await contender.result();
    logits ??= got;
    if (!(normwise(got, logits) <= 1e-5)) throw new Error(`${engine} computed something else after another start`);
    work ??= contender.work;
    await contender.dispose();
    await competitor.close();
  }
  return { ms, logits: [...logits!], work };
}

async function open(engine: Loader, { onnxruntime }: PeerFolders): Promise<Competitor> {
  if (engine === 'tilewright') return (await import('./tilewright.ts')).openTilewright();
  const { openOnnxRuntime } = await import('./onnxruntime.ts');
  return openOnnxRuntime(onnxruntime, engine === 'onnxruntime-web' ? 'webgpu' : 'wasm');
}
