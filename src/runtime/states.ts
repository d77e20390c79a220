import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { byteLength, formatTensor, sameShape, type TensorDescriptor } from '../tensor/types.ts';
import { Resource } from './resource.ts';

/** Tensors that stay on the device from run to run: KV caches. Sessions on the same states share them by name. */
export class States extends Resource {
  protected readonly title = 'the states';
  readonly #buffers = new Map<string, { descriptor: TensorDescriptor; buffer: GPUBuffer }>();

  constructor(readonly gpu: Gpu) {
    super();
  }

  has(name: string): boolean {
    return this.#buffers.has(name);
  }

  get bytes(): number {
    return [...this.#buffers.values()].reduce((sum, { buffer }) => sum + buffer.size, 0);
  }

  /** The state of this name; zeros where it is new. Error: `wrong-shape`. */
  buffer(name: string, descriptor: TensorDescriptor): GPUBuffer {
    this.alive();
    const known = this.#buffers.get(name);
    if (known) {
      const { dataType, shape } = known.descriptor;
      if (dataType !== descriptor.dataType || !sameShape(shape, descriptor.shape)) {
        throw new TilewrightError(
          'wrong-shape',
          `state ${name} is ${formatTensor(known.descriptor)}, asked for as ${formatTensor(descriptor)}`,
        );
      }
      return known.buffer;
    }
    const buffer = this.gpu.createBuffer(byteLength(descriptor), USAGE.storage, `state ${name}`);
    this.#buffers.set(name, { descriptor, buffer });
    return buffer;
  }

  protected release(): void {
    for (const { buffer } of this.#buffers.values()) this.gpu.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}
