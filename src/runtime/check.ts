import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { leaf, type Operand } from '../graph/ir.ts';
import { type Step, storageOf } from '../graph/plan.ts';
import { checkCandidates } from '../ops/finite.ts';
import { isFloat } from '../tensor/types.ts';
import { bind, compile, submitPass, writeUniforms } from './steps.ts';

/**
 * Names the first op of a run that produced infinity or NaN. After each op that writes floats, a kernel looks at its
 * results and raises one word on the device to the op's mark. The word is read with the outputs.
 */
export class FiniteCheck {
  /** The word: 0, or the largest mark. */
  readonly flag: Operand = leaf('state', { dataType: 'uint32', shape: [1] }, { name: 'not finite' });
  readonly buffer: GPUBuffer;
  /** The plan's dispatches with those that check them. */
  readonly steps: readonly Step[];
  /** Staging buffers that no run is using. */
  readonly #idle: GPUBuffer[] = [];

  constructor(
    private readonly gpu: Gpu,
    private readonly planned: readonly Step[],
    private readonly plan: string,
    private readonly allocate: (bytes: number, usage: GPUBufferUsageFlags, name: string) => GPUBuffer,
  ) {
    this.buffer = allocate(4, USAGE.storage, 'not finite');
    this.steps = planned.flatMap((step, index) => [step, ...this.#checksOf(step, index)]);
  }

  /** The checks after a step: none before the last dispatch of a node. Earlier steps have larger marks. */
  #checksOf(step: Step, index: number): Step[] {
    const { node } = step;
    if (this.planned[index + 1]?.node === node) return [];
    const cost = { macs: 0, flops: 0, bytes: 0 };
    return node.results
      .filter(({ dataType }) => isFloat(dataType))
      .flatMap((result) =>
        checkCandidates(result, this.planned.length - index, this.gpu.caps.maxBindingBytes).map((candidate) => ({
          node,
          candidate,
          candidates: [candidate],
          reads: { input: storageOf(result) },
          writes: { output: this.flag },
          cost,
          dispatches: 1,
        })),
      );
  }

  /** Clears the word, before the dispatches of a run. */
  begin(encoder: GPUCommandEncoder): void {
    encoder.clearBuffer(this.buffer);
  }

  /** Copies the word, after them. Call the returned function after the submit. Error: `not-finite`. */
  end(encoder: GPUCommandEncoder): () => Promise<void> {
    const staging = this.#idle.pop() ?? this.allocate(4, USAGE.staging, 'not finite staging');
    encoder.copyBufferToBuffer(this.buffer, 0, staging, 0, 4);
    return async () => {
      const [mark] = new Uint32Array(await this.gpu.readStaging(staging, 4)) as unknown as [number];
      this.#idle.push(staging);
      if (!mark) return;
      const index = this.planned.length - mark;
      const { node, candidate } = this.planned[index]!;
      const fault = node.constant
        ? 'numbers that are not finite cannot be quantised'
        : `${node.op} produced a number that is not finite`;
      throw new TilewrightError(
        'not-finite',
        `${node.label ?? node.op}: ${fault} (step ${index} of ${this.plan}, ${candidate.label})`,
        {
          hint: node.constant
            ? 'Check the weights, or keep this layer as float32.'
            : node.dataType === 'float16'
              ? 'float16 ends at 65504: load with dtype float32, or check what went in.'
              : 'All steps before it were finite: check the inputs and the weights that it reads.',
        },
      );
    };
  }
}

/** Checks results of steps that have run already. Error: `not-finite`. */
export async function checkDone(
  gpu: Gpu,
  done: readonly Step[],
  bufferOf: (operand: Operand) => GPUBuffer,
): Promise<void> {
  const own: GPUBuffer[] = [];
  const allocate = (bytes: number, usage: GPUBufferUsageFlags, name: string): GPUBuffer => {
    const buffer = gpu.createBuffer(bytes, usage, name);
    own.push(buffer);
    return buffer;
  };
  try {
    const check = new FiniteCheck(gpu, done, 'load', allocate);
    const steps = check.steps.filter(({ writes }) => writes['output'] === check.flag);
    const programs = await compile(gpu, steps);
    const uniforms = writeUniforms(gpu, steps, programs, 'load');
    if (uniforms.buffer) own.push(uniforms.buffer);
    const buffers = (operand: Operand): GPUBuffer => (operand === check.flag ? check.buffer : bufferOf(operand));
    submitPass(
      gpu,
      steps.map((step, i) => bind(gpu, step, programs[i]!, uniforms, i, buffers)),
    );
    const encoder = gpu.device.createCommandEncoder();
    const judged = check.end(encoder);
    gpu.submit(encoder);
    await judged();
  } finally {
    for (const buffer of own) gpu.destroyBuffer(buffer);
  }
}
