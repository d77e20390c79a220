import type { Gpu } from '../gpu/gpu.ts';
import type { Session } from '../runtime/session.ts';
import { byteLength, elementCount, type TensorData } from '../tensor/types.ts';
import type { OpCase } from './case.ts';
import { placeOf, type RefTensor } from './reference/tensor.ts';
import { type Difference, differenceOf, worse } from './tolerances.ts';
import { asNumbers, randomNumbers } from './values.ts';

/** What is written before a run, again and again where an input is larger; and what shall come out. */
export interface Run {
  readonly data: Readonly<Record<string, TensorData>>;
  /** Of every result. */
  readonly want: readonly RefTensor[];
}

/** Uploads may run this far ahead of the GPU, as those of weights do. */
const UPLOAD_WINDOW = 32 * 2 ** 20;

/** Runs a session of a case once; how far its output is off. The reference reads `work` numbers or so. */
export async function runOnce(
  session: Session,
  test: OpCase,
  { data, want }: Run,
  work = 2 ** 24,
): Promise<Difference> {
  for (const [name, numbers] of Object.entries(data)) {
    // What the op makes no use of is no input of the plan.
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

/** Places that are looked at where there are too many: so few at the least, and at the most. */
const SAMPLES = { least: 512, most: 4096 };
/** Of more elements than this, samples are looked at whatever the work. */
const MOST = 2 ** 20;
/** Tiles begin and end at multiples of this. */
const TILE = 4;

/**
 * Where to look: everywhere (undefined) where that reads `work` numbers at the most, else along each axis in turn at its ends, beside the
 * edges of tiles, and anywhere.
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
