import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Turns } from '../gpu/turns.ts';
import { USAGE } from '../gpu/usage.ts';
import type { Session } from '../runtime/session.ts';
import { BYTES, elementCount, type TensorDescriptor, wordBytes } from '../tensor/types.ts';

/** A buffer that a tensor is in. It may have room for more rows: `shape` is that of the buffer. */
interface Room {
  readonly buffer: GPUBuffer;
  readonly shape: readonly number[];
}

interface Kept extends Room {
  readonly dims: readonly number[];
  /** Its bytes; undefined where the buffer is a state of the model, and goes with that. */
  readonly own: number | undefined;
}

/** An output that a run hands to the next. */
export interface Handed {
  readonly output: string;
  readonly tensor: TensorDescriptor;
}

/** Has the device do what is encoded, after what was submitted before. */
export function submitted(gpu: Gpu, work: (encoder: GPUCommandEncoder) => void): void {
  const encoder = gpu.device.createCommandEncoder();
  work(encoder);
  gpu.submit(encoder);
}

/** Copies a tensor: in one piece, or in one for each line along the axis where a buffer has room for more. */
function copyTensor(encoder: GPUCommandEncoder, from: Room, to: Room, tensor: TensorDescriptor): void {
  const { shape, dataType } = tensor;
  const axis = shape.findIndex((size, d) => from.shape[d] !== size || to.shape[d] !== size);
  if (axis < 0) return void encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, wordBytes(tensor));
  const lines = [shape, from.shape, to.shape].map((one) => elementCount(one.slice(axis)) * BYTES[dataType]);
  const [bytes, step, stride] = lines as [number, number, number];
  for (let i = 0; i < elementCount(shape.slice(0, axis)); i++)
    encoder.copyBufferToBuffer(from.buffer, i * step, to.buffer, i * stride, bytes);
}

/** Outputs that are inputs of the next run. They stay on the device, in buffers of their own, or in states. */
export class Feedback {
  readonly #kept = new Map<string, Kept>();
  /** Runs that hand something on are one after the other. */
  readonly turns = new Turns();
  /** What was kept went with a device that was lost. */
  #gone = false;

  constructor(
    private gpu: Gpu,
    /** Outputs by the input that they become. */
    readonly sources: ReadonlyMap<string, string>,
  ) {}

  /** The dimensions of what is kept for an input. */
  dims(input: string): readonly number[] | undefined {
    return this.#kept.get(input)?.dims;
  }

  /** Copies what is kept for inputs into a session: zeros where nothing is. */
  give(session: Session, inputs: ReadonlyMap<string, TensorDescriptor>): void {
    submitted(this.gpu, (encoder) => {
      for (const [input, tensor] of inputs) {
        const kept = this.#kept.get(input);
        const buffer = session.inputBuffer(input);
        if (kept) copyTensor(encoder, kept, { buffer, shape: tensor.shape }, tensor);
        else encoder.clearBuffer(buffer);
      }
    });
  }

  /** Keeps outputs of a session, by the input that each becomes. */
  keep(session: Session, outputs: ReadonlyMap<string, Handed>): void {
    this.#gone = false;
    submitted(this.gpu, (encoder) => {
      for (const [input, { output, tensor }] of outputs) {
        const { shape } = tensor;
        const bytes = wordBytes(tensor);
        const old = this.#kept.get(input);
        const again = old?.own === bytes;
        const buffer = again ? old.buffer : this.gpu.createBuffer(bytes, USAGE.storage, `feedback ${input}`);
        if (!again) this.#free(old);
        this.#kept.set(input, { dims: shape, buffer, shape, own: bytes });
        encoder.copyBufferToBuffer(session.outputBuffer(output), 0, buffer, 0, bytes);
      }
    });
  }

  /** Moves what is kept for an input into a state, which has room for more rows. */
  move(input: string, buffer: GPUBuffer, { dataType, shape }: TensorDescriptor): void {
    const kept = this.#kept.get(input)!;
    if (kept.buffer === buffer) return;
    const { dims } = kept;
    submitted(this.gpu, (encoder) => copyTensor(encoder, kept, { buffer, shape }, { dataType, shape: dims }));
    this.#free(kept);
    this.#kept.set(input, { dims, buffer, shape, own: undefined });
  }

  /** A run has written more rows behind what is kept for an input. */
  grow(input: string, axis: number, rows: number): void {
    const kept = this.#kept.get(input)!;
    this.#kept.set(input, { ...kept, dims: kept.dims.map((size, d) => (d === axis ? size + rows : size)) });
  }

  #free(kept: Kept | undefined): void {
    if (kept?.own !== undefined) this.gpu.destroyBuffer(kept.buffer);
  }

  /** Leaves a lost device, and what is kept there. */
  moveTo(gpu: Gpu): void {
    this.#gone ||= this.#kept.size > 0;
    this.free();
    this.gpu = gpu;
  }

  /** Error: `device-lost` where runs cannot go on from the ones before. */
  check(): void {
    if (this.#gone)
      throw new TilewrightError('device-lost', 'what `feedback` kept from run to run went with the lost device', {
        hint: 'Call reset(), and give the inputs again from the first on.',
      });
  }

  /** Forgets what is kept: the next run begins with zeros. */
  reset(): void {
    this.free();
    this.#gone = false;
  }

  free(): void {
    for (const kept of this.#kept.values()) this.#free(kept);
    this.#kept.clear();
  }
}

/** Pairs of an output and an input by their names. Error: `invalid-argument` where there is none of a name. */
export function feedbackOf(
  given: Readonly<Record<string, string>>,
  outputs: readonly { name: string; type: string }[],
  inputs: readonly { name: string; type: string }[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [output, input] of Object.entries(given)) {
    const [from, to] = [outputs.find(({ name }) => name === output), inputs.find(({ name }) => name === input)];
    if (!from || !to)
      throw new TilewrightError(
        'invalid-argument',
        `feedback: there is no ${from ? `input '${input}'` : `output '${output}'`}`,
      );
    if (from.type !== to.type)
      throw new TilewrightError('wrong-type', `feedback: '${output}' is ${from.type}, '${input}' ${to.type}`);
    found.set(input, output);
  }
  return found;
}
