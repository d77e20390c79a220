import { type Gpu, paddedBytes } from '../gpu/gpu.ts';
import type { Program } from '../gpu/pipelines.ts';
import { USAGE } from '../gpu/usage.ts';
import { link, type Uniform, type Variant, writeParams } from '../gpu/wgsl.ts';
import type { Operand } from '../graph/ir.ts';
import type { Step } from '../graph/plan.ts';
import { byteLength } from '../tensor/types.ts';

/** A dispatch with everything it needs on the device. */
export interface BoundStep {
  readonly step: Step;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
}

/** Milliseconds of a submit, about: a page paints between two, and a signal acts. A longer run is cut into several. */
export const PART_MS = 100;

/** The work of steps, of which their time is guessed: floating-point operations and bytes. */
export const workOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, { cost }) => sum + cost.flops + cost.bytes, 0);

/** Compiles the pipelines of all steps side by side, equal ones once. */
export function compile(gpu: Gpu, steps: readonly Step[]): Promise<Program[]> {
  return gpu.guard(Promise.all(steps.map(({ candidate }) => gpu.pipelines.get(candidate.variant, candidate.label))));
}

/** The uniforms of all steps in one buffer, written once. */
export interface UniformArena {
  readonly buffer: GPUBuffer | undefined;
  /** For each step, the offset of each of its uniforms by name. */
  readonly offsets: readonly ReadonlyMap<string, number>[];
}

const UNIFORM_ALIGNMENT = 256;

const aligned = ({ layout }: Uniform): number => Math.ceil(layout.size / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;

/** Bytes of the uniforms of steps, before anything is compiled. */
export const uniformBytes = (variants: readonly Variant[]): number =>
  variants.flatMap((variant) => link(variant).uniforms).reduce((sum, uniform) => sum + aligned(uniform), 0);

export function writeUniforms(
  gpu: Gpu,
  steps: readonly Step[],
  programs: readonly Program[],
  label: string,
): UniformArena {
  let end = 0;
  const offsets = programs.map(({ linked }) => {
    const own = new Map<string, number>();
    for (const uniform of linked.uniforms) {
      own.set(uniform.name, end);
      end += aligned(uniform);
    }
    return own;
  });
  if (!end) return { buffer: undefined, offsets };
  const view = new DataView(new ArrayBuffer(end));
  programs.forEach(({ linked }, i) => {
    for (const { name, layout } of linked.uniforms)
      writeParams(layout, steps[i]!.candidate.params, view, offsets[i]!.get(name)!);
  });
  const buffer = gpu.createBuffer(end, USAGE.uniform, `${label} uniforms`);
  gpu.write(buffer, 0, view);
  return { buffer, offsets };
}

/** Makes the bind group of step `index`. Bindings go by the shader's names. */
export function bind(
  gpu: Gpu,
  step: Step,
  program: Program,
  uniforms: UniformArena,
  index: number,
  bufferOf: (operand: Operand) => GPUBuffer,
): BoundStep {
  const { candidate, reads, writes } = step;
  const entries = program.linked.bindings.map(({ name, binding }): GPUBindGroupEntry => {
    const uniform = program.linked.uniforms.find((candidateUniform) => candidateUniform.name === name);
    if (uniform) {
      const offset = uniforms.offsets[index]!.get(name)!;
      return { binding, resource: { buffer: uniforms.buffer!, offset, size: uniform.layout.size } };
    }
    const known = candidate.bind?.[name] ?? name;
    const operand = writes[known] ?? reads[known]!;
    const size = paddedBytes(byteLength(operand)); // the slot may be larger, even larger than a binding may be
    return { binding, resource: { buffer: bufferOf(operand), size, ...candidate.ranges?.[name] } };
  });
  gpu.counters.bindGroups++;
  const bindGroup = gpu.device.createBindGroup({ label: candidate.label, layout: program.layout, entries });
  return { step, pipeline: program.pipeline, bindGroup };
}

/** Submits steps as a pass of its own. */
export function submitPass(gpu: Gpu, steps: readonly BoundStep[]): void {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const step of steps) dispatch(gpu, pass, step);
  pass.end();
  gpu.counters.passes++;
  gpu.submit(encoder);
}

/** Encodes dispatches into a pass that is open. */
export function dispatch(gpu: Gpu, pass: GPUComputePassEncoder, { step, pipeline, bindGroup }: BoundStep): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...step.candidate.grid);
  gpu.counters.dispatches++;
}
