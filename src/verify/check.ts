import type { Gpu } from '../gpu/gpu.ts';
import type { Session } from '../runtime/session.ts';
import { byteLength, elementCount, type TensorData } from '../tensor/types.ts';
import type { OpCase } from './case.ts';
import { placeOf, type RefTensor } from './reference/tensor.ts';
import { type Difference, differenceOf, worse } from './tolerances.ts';
import { asNumbers, randomNumbers } from './values.ts';

/** Inputs of a run, repeated where an input is larger, and the results that are right. */
export interface Run {
  readonly data: Readonly<Record<string, TensorData>>;
  /** The right values of every result. */
  readonly want: readonly RefTensor[];
}

/** Bytes that uploads run ahead of the GPU at the most, as those of weights do. */
const UPLOAD_WINDOW = 32 * 2 ** 20;

/** Runs a session of a case once and compares its results. The reference reads about `work` numbers. */
export async function runOnce(
  session: Session,
  test: OpCase,
  { data, want }: Run,
  work = 2 ** 24,
): Promise<Difference> {
  for (const [name, numbers] of Object.entries(data)) {
    // An operand that the op does not use is no input of the plan.
    const operand = session.plan.inputs.get(name);
    if (operand) await fill(session.gpu, session.inputBuffer(name), byteLength(operand), numbers);
  }
  const results = Object.values(await session.run({}));
  return want
    .map((tensor, i) => {
      const places = placesOf(tensor, work / want.length);
      const numbers = asNumbers(results[i]!, tensor.dataType, elementCount(tensor.shape), places);
      return differenceOf(test, numbers, tensor, places);
    })
    .reduce(worse);
}

/** Writes numbers to a buffer until `bytes` are written. */
async function fill(gpu: Gpu, buffer: GPUBuffer, bytes: number, numbers: TensorData): Promise<void> {
  let ahead = 0;
  for (let at = 0; at < bytes; at += numbers.byteLength) {
    const part = numbers.subarray(0, (bytes - at) / numbers.BYTES_PER_ELEMENT);
    gpu.write(buffer, at, part);
    ahead += part.byteLength;
    if (ahead < UPLOAD_WINDOW) continue;
    await gpu.guard(gpu.device.queue.onSubmittedWorkDone());
    ahead = 0;
  }
}

/** Elements of a sample, at the least and at the most. */
const SAMPLES = { least: 512, most: 4096 };
/** A result of more elements is sampled, whatever the work. */
const MOST = 2 ** 20;
/** Edges of tiles are multiples of this. */
const TILE = 4;

/**
 * The elements to compare. Undefined, all of them, where the reference reads at most `work` numbers for that. Else a
 * sample: along each axis in turn its ends, both sides of the edges of tiles, and random places.
 */
export function placesOf({ shape, terms = 1, work: each = terms }: RefTensor, work: number): Uint32Array | undefined {
  const count = elementCount(shape);
  if (count <= SAMPLES.least || (count <= MOST && count * each <= work)) return undefined;
  const random = randomNumbers(`${shape}`);
  const below = (n: number): number => Math.floor(random() * n);
  const ways: ((size: number) => number)[] = [
    below,
    (size) => (size - 1) * below(2),
    (size) => Math.min(Math.max(TILE * below(size / TILE + 1) - below(2), 0), size - 1),
  ];
  const places = new Set([0, count - 1]);
  const samples = Math.min(Math.max(work / each, SAMPLES.least), SAMPLES.most);
  for (let i = 0; i < samples; i++)
    places.add(
      placeOf(
        shape,
        shape.map((size) => ways[below(ways.length)]!(size)),
      ),
    );
  return Uint32Array.from(places).sort();
}
