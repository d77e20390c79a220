import type { HostData } from '../tensor/types.ts';
import type { MLOperandDataType, MLOperandDescriptor } from './data.ts';

/** Type, shape, and what the host may do with a tensor. */
export interface MLTensorDescriptor extends MLOperandDescriptor {
  readable?: boolean;
  writable?: boolean;
}

/** What a tensor holds: a buffer on the device, or the numbers of a constant until graphs take them there. */
export type Content = { readonly buffer: GPUBuffer } | { readonly numbers: HostData };

/** What a context keeps of a tensor. */
interface Held {
  readonly context: object;
  readonly content: Content;
  readonly free: () => void;
  /** Rejects where a dispatch that wrote the tensor failed. */
  written: Promise<unknown>;
}

const held = new WeakMap<MLTensor, Held>();

/** What a tensor has on a context; undefined once it is destroyed. */
export const heldBy = (tensor: MLTensor): Held | undefined => held.get(tensor);

/** Whose tensors they are, destroyed ones too. */
const owners = new WeakMap<MLTensor, object>();
export const ownerOf = (tensor: MLTensor): object | undefined => owners.get(tensor);

/** Numbers on the device of a context, made by `createTensor` or `createConstantTensor`. */
export class MLTensor {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
  readonly readable: boolean;
  readonly writable: boolean;
  readonly constant: boolean;

  /** @internal */
  constructor(
    { dataType, shape, readable = false, writable = false }: MLTensorDescriptor,
    { context, content, free }: Omit<Held, 'written'>,
  ) {
    this.dataType = dataType;
    this.shape = shape;
    this.readable = readable;
    this.writable = writable;
    this.constant = 'numbers' in content;
    owners.set(this, context);
    held.set(this, { context, content, free, written: Promise.resolve() });
  }

  /** Frees it. Twice is fine. */
  destroy(): void {
    const mine = held.get(this);
    held.delete(this);
    mine?.free();
  }
}
