import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import type { Session } from '../runtime/session.ts';
import { Turns } from '../runtime/turns.ts';
import { type TensorDescriptor, wordBytes } from '../tensor/types.ts';

interface Kept {
  readonly dims: readonly number[];
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

/** Has the device do what is encoded, after what was submitted before. */
export function submitted(gpu: Gpu, work: (encoder: GPUCommandEncoder) => void): void {
  const encoder = gpu.device.createCommandEncoder();
  work(encoder);
  gpu.submit(encoder);
}

/** Outputs that are inputs of the next run. They stay on the device, in buffers of their own. */
export class Feedback {
  readonly #kept = new Map<string, Kept>();
  /** Runs that hand something on are one after the other. */
  readonly turns = new Turns();

  constructor(
    private readonly gpu: Gpu,
    /** Outputs by the input that they become. */
    readonly sources: ReadonlyMap<string, string>,
  ) {}

  /** The dimensions of what is kept for an input. */
  dims(input: string): readonly number[] | undefined {
    return this.#kept.get(input)?.dims;
  }

  /** Copies what is kept for an input into a session: zeros where nothing is. */
  give(session: Session, input: string): void {
    const kept = this.#kept.get(input);
    const target = session.inputBuffer(input);
    submitted(this.gpu, (encoder) =>
      kept ? encoder.copyBufferToBuffer(kept.buffer, 0, target, 0, kept.bytes) : encoder.clearBuffer(target),
    );
  }

  /** Keeps an output of a session for an input. */
  keep(session: Session, output: string, input: string, tensor: TensorDescriptor): void {
    const bytes = wordBytes(tensor);
    const old = this.#kept.get(input);
    const buffer = old?.bytes === bytes ? old.buffer : this.gpu.createBuffer(bytes, USAGE.storage, `feedback ${input}`);
    if (old && old.buffer !== buffer) this.gpu.destroyBuffer(old.buffer);
    this.#kept.set(input, { dims: tensor.shape, buffer, bytes });
    submitted(this.gpu, (encoder) => encoder.copyBufferToBuffer(session.outputBuffer(output), 0, buffer, 0, bytes));
  }

  /** Forgets what is kept: the next run begins with zeros. */
  reset(): void {
    for (const { buffer } of this.#kept.values()) this.gpu.destroyBuffer(buffer);
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
