import { Engine, type ImageClassifier } from '../../src/index.ts';
import { modelWork, randomData } from '../graphs.ts';
import { callSampler, type Sample, sample } from '../measure.ts';
import { randomCheckpoint, resnetShapes } from '../models.ts';
import type { Work } from '../report.ts';
import type { Case, Context, Measured, Suite } from './case.ts';

/** Starts of a ResNet with random weights, each on a device of its own. */
export const load: Suite = (context) => {
  const [name, { image }] = context.preset.load;
  const shape = `1x3x${image}x${image}`;
  return [{ suite: 'load', name, shape, dtype: 'float32', run: () => timeStarts(context) } satisfies Case];
};

/** Starts in a row. */
const STARTS = 3;

/**
 * From bytes in memory: a device and the weights on it (`load`), then the first logits (`first answer`), then one answer after the
 * other. What the browser keeps of earlier starts, such as compiled shaders, it keeps.
 */
async function timeStarts(context: Context): Promise<Measured[]> {
  const { recorder, preset } = context;
  const { signal, quantum } = recorder;
  const [name, size] = preset.load;
  const file = randomCheckpoint(resnetShapes(size));
  const inputSize: [number, number] = [size.image, size.image];
  const pixels = randomData('float32', [1, 3, ...inputSize], 1) as Float32Array;
  let [work, deviceBytes]: [Work, number] = [{ flops: 0, bytes: 0 }, 0];

  const start = async (): Promise<[load: Sample[], first: Sample[], steady: Sample[]]> => {
    const began = performance.now();
    const engine = await Engine.create({ signal });
    try {
      const model = (await engine.load(file, { dtype: 'float32', inputSize, signal })) as ImageClassifier;
      const loaded = performance.now();
      const answer = () => model.logits(pixels, 1, { signal });
      await answer();
      const answered = performance.now();
      const steady = await sample({ rounds: [3, 5], budgetMs: 300 }, await callSampler(answer, quantum, signal));
      work = await modelWork(model, model.graph());
      deviceBytes = engine.counters.bytes;
      return [[alone(loaded - began)], [alone(answered - loaded)], steady];
    } finally {
      engine.dispose();
    }
  };
  const timed = await recorder.time(async () => {
    const starts: Awaited<ReturnType<typeof start>>[] = [];
    while (starts.length < STARTS) starts.push(await start());
    return [0, 1, 2].map((part) => starts.flatMap((parts) => parts[part]!));
  });
  return ['load', 'first answer', 'steady answer'].map((part, i) => ({
    name: `${name} ${part}`,
    timed: timed[i]!,
    work: part === 'load' ? { flops: 0, bytes: file.size } : work,
    deviceBytes,
  }));
}

/** A stretch of the clock that was one run. */
const alone = (ms: number): Sample => ({ ms, clocked: ms });
