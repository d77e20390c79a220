import { TilewrightError } from '../errors.ts';
import type { Counters } from './counters.ts';
import { COMPUTE } from './usage.ts';
import { type Binding, type Linked, link, type Variant, variantKey } from './wgsl.ts';

/** A compiled variant, with its bindings. */
export interface Program {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly linked: Linked;
}

const resourceOf = (type: Binding['type']): Partial<GPUBindGroupLayoutEntry> =>
  type === 'texture_external'
    ? { externalTexture: {} }
    : type === 'texture_2d'
      ? { texture: { sampleType: 'unfilterable-float' } }
      : { buffer: { type } };

/** What is compiled on each device: engines and contexts of WebNN on the same device share it. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<Program>>>();

/** Compiles each variant once. Different variants compile side by side. */
export class PipelineCache {
  readonly #programs: Map<string, Promise<Program>>;
  #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
  ) {
    this.#programs = compiled.get(device) ?? new Map();
    compiled.set(device, this.#programs);
  }

  get size(): number {
    return this.#programs.size;
  }

  get(variant: Variant, label: string): Promise<Program> {
    const key = variantKey(variant);
    let program = this.#programs.get(key);
    if (!program) {
      program = this.#compile(link(variant), label);
      program.catch(() => this.#programs.delete(key));
      this.#programs.set(key, program);
    }
    return program;
  }

  #layout(bindings: readonly Binding[]): GPUBindGroupLayout {
    const key = bindings.map(({ binding, type }) => `${binding}:${type}`).join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entries = bindings.map(({ binding, type }) => ({ binding, visibility: COMPUTE, ...resourceOf(type) }));
      layout = this.device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #compile(linked: Linked, label: string): Promise<Program> {
    const { device } = this;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: linked.code, label });
    const layout = this.#layout(linked.bindings);
    const pipeline = device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    const scope = device.popErrorScope();
    this.counters.pipelines++;
    try {
      const [made] = await Promise.all([pipeline, scope]);
      return { pipeline: made, layout, linked };
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = messages
        .filter(({ type }) => type === 'error')
        .map(({ lineNum, message }) => `${linked.locate(lineNum)}: ${message}`);
      throw new TilewrightError('shader-compile', `${label}: ${lines.join('\n') || (cause as Error).message}`, {
        cause,
      });
    }
  }
}
