import { buildSession } from '../build/build.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { loadingOps, loadOps } from '../graph/groups/index.ts';
import { type Graph, isInput, type NamedOptions, topological } from '../graph/ir.ts';
import { fromDevice, logical, toDevice } from '../tensor/logical.ts';
import {
  byteLength,
  formatTensor,
  sameShape,
  type TensorDescriptor,
  typedArray,
  wordBytes as wordsOf,
} from '../tensor/types.ts';
import { type MLBufferSource, type MLOperandDescriptor, needBytes, needDescriptor, numbersOf } from './data.ts';
import { checked, invalidState, settled } from './errors.ts';
import { builtOf, MLGraph } from './graph.ts';
import { type MLOpSupportLimits, maxTensorBytes, supportLimits } from './limits.ts';
import { heldBy, MLTensor, type MLTensorDescriptor, ownerOf } from './tensor.ts';

/** Tensors of a dispatch by the names of the graph. */
export type MLNamedTensors = Readonly<Record<string, MLTensor>>;

/** Why a context is lost. */
export interface MLContextLostInfo {
  readonly message: string;
}

/** A tensor as it lies on the device. */
const onDevice = ({ dataType, shape }: MLOperandDescriptor): TensorDescriptor => ({
  dataType: logical(dataType)?.device ?? dataType,
  shape,
});

/** Bytes of a tensor on the device, in whole words: what a copy takes. */
const wordBytes = (tensor: MLOperandDescriptor): number => wordsOf(onDevice(tensor));

const descriptorOf = ({ dataType, shape }: TensorDescriptor): MLOperandDescriptor =>
  ({ dataType, shape }) as MLOperandDescriptor;

/**
 * A device with the tensors and graphs on it. Numbers of 64 bits are 32 bits on the device: `writeTensor` refuses what
 * does not fit.
 */
export class MLContext {
  /** Resolves when the context can do no more: it was destroyed, or the device is gone. */
  readonly lost: Promise<MLContextLostInfo>;
  /** Whether a GPU computes, not the CPU. */
  readonly accelerated: boolean;
  readonly #gpu: Gpu;
  /** What goes when the context goes. */
  readonly #things = new Set<{ destroy(): void }>();
  #lose!: (info: MLContextLostInfo) => void;
  #ended: string | undefined;

  /** @internal */
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.accelerated = !gpu.card.software;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    void gpu.device.lost.then(({ message }) => this.#end(message || 'the GPU device was lost'));
  }

  /** Throws InvalidStateError where the context is lost. */
  readonly alive = (): void => {
    if (this.#ended !== undefined) throw invalidState(`the context is lost: ${this.#ended}`);
  };

  /** Makes a tensor of zeros. */
  async createTensor(descriptor: MLTensorDescriptor): Promise<MLTensor> {
    this.alive();
    const { readable, writable } = descriptor ?? {};
    const tensor = needDescriptor('createTensor', descriptor);
    this.#fits('createTensor', tensor);
    const gpu = this.#gpu;
    return settled('UnknownError', async () => {
      const [buffer, valid] = gpu.scoped('a tensor', () =>
        gpu.createBuffer(byteLength(onDevice(tensor)), USAGE.storage, 'MLTensor'),
      );
      const made = new MLTensor(
        { ...tensor, readable: Boolean(readable), writable: Boolean(writable) },
        {
          context: this,
          content: { buffer },
          free: () => {
            this.#things.delete(made);
            gpu.destroyBuffer(buffer);
          },
        },
      );
      this.#things.add(made);
      try {
        await valid;
        this.alive();
      } catch (error) {
        made.destroy();
        throw error;
      }
      return made;
    });
  }

  /** Makes a tensor for `builder.constant`. Each graph that has it takes its numbers to the device. */
  async createConstantTensor(descriptor: MLOperandDescriptor, data: MLBufferSource): Promise<MLTensor> {
    this.alive();
    const tensor = needDescriptor('createConstantTensor', descriptor);
    this.#fits('createConstantTensor', tensor);
    const numbers = numbersOf('createConstantTensor', tensor, data);
    const made: MLTensor = new MLTensor(tensor, {
      context: this,
      content: { numbers },
      free: () => this.#things.delete(made),
    });
    this.#things.add(made);
    return made;
  }

  #fits(what: string, tensor: MLOperandDescriptor): void {
    const [bytes, most] = [byteLength(tensor), maxTensorBytes(this.#gpu.caps)];
    if (bytes > most) throw new TypeError(`${what}: ${formatTensor(tensor)} has ${bytes} bytes, ${most} at most`);
  }

  /** The buffer of a tensor of this context. Error: TypeError where it is another's, destroyed or constant. */
  #bufferOf(what: string, tensor: MLTensor): GPUBuffer {
    if (!(tensor instanceof MLTensor)) throw new TypeError(`${what}: expected an MLTensor`);
    if (ownerOf(tensor) !== this) throw new TypeError(`${what}: the tensor is of another context`);
    const content = heldBy(tensor)?.content;
    if (!content) throw new TypeError(`${what}: the tensor was destroyed`);
    if (!('buffer' in content)) throw new TypeError(`${what}: the tensor is constant`);
    return content.buffer;
  }

  /** Writes all of a tensor. */
  writeTensor(tensor: MLTensor, data: MLBufferSource): void {
    this.alive();
    const buffer = this.#bufferOf('writeTensor', tensor);
    if (!tensor.writable) throw new TypeError('writeTensor: the tensor is not writable');
    const numbers = numbersOf('writeTensor', tensor, data);
    const { dataType } = tensor;
    checked(() => this.#gpu.write(buffer, 0, logical(dataType) ? toDevice('writeTensor', tensor, numbers) : numbers));
  }

  /** Reads all of a tensor, as it is after what was dispatched before. */
  readTensor(tensor: MLTensor): Promise<ArrayBuffer>;
  readTensor(tensor: MLTensor, into: MLBufferSource): Promise<undefined>;
  async readTensor(tensor: MLTensor, into?: MLBufferSource): Promise<ArrayBuffer | undefined> {
    this.alive();
    const buffer = this.#bufferOf('readTensor', tensor);
    if (!tensor.readable) throw new TypeError('readTensor: the tensor is not readable');
    if (into !== undefined) needBytes('readTensor', tensor, into);
    const bytes = await settled('UnknownError', () => this.#read(tensor, buffer));
    if (into === undefined) return bytes;
    needBytes('readTensor', tensor, into).set(new Uint8Array(bytes)); // it may have been detached
    return undefined;
  }

  async #read(tensor: MLTensor, buffer: GPUBuffer): Promise<ArrayBuffer> {
    const gpu = this.#gpu;
    const { written } = heldBy(tensor)!;
    const bytes = wordBytes(tensor);
    const [staging, valid] = gpu.scoped('a read', () => {
      const staging = gpu.createBuffer(bytes, USAGE.staging, 'MLTensor staging');
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
      gpu.submit(encoder);
      return staging;
    });
    try {
      const { dataType } = tensor;
      const device = onDevice(tensor);
      const [read] = await Promise.all([gpu.readStaging(staging, byteLength(device), this.alive), valid, written]);
      this.alive();
      return logical(dataType) ? (fromDevice(dataType, typedArray(device.dataType, read)).buffer as ArrayBuffer) : read;
    } finally {
      gpu.destroyBuffer(staging);
    }
  }

  /** Computes the outputs of a graph from its inputs: one submit, nothing is waited for. */
  dispatch(graph: MLGraph, inputs: MLNamedTensors, outputs: MLNamedTensors): void {
    this.alive();
    const built = graph instanceof MLGraph ? builtOf(graph) : undefined;
    if (!built) throw new TypeError('dispatch: expected an MLGraph');
    if (built.context !== this) throw new TypeError('dispatch: the graph is of another context');
    const { session } = built;
    if (session.disposed) throw invalidState('dispatch: the graph was destroyed');
    const all = [...Object.values(inputs), ...Object.values(outputs)];
    if (new Set(all).size < all.length) throw new TypeError('dispatch: a tensor is given twice');
    const given = this.#matched('input', inputs, built.inputs);
    const taken = this.#matched('output', outputs, built.outputs);
    const gpu = this.#gpu;
    const [, valid] = checked(() =>
      gpu.scoped('a dispatch', () => {
        const encoder = gpu.device.createCommandEncoder();
        for (const { name, tensor, buffer } of given)
          if (session.plan.inputs.has(name))
            encoder.copyBufferToBuffer(buffer, 0, session.inputBuffer(name), 0, wordBytes(tensor));
        session.encode(encoder);
        for (const { name, tensor, buffer } of taken)
          encoder.copyBufferToBuffer(session.outputBuffer(name), 0, buffer, 0, wordBytes(tensor));
        gpu.submit(encoder);
      }),
    );
    for (const { tensor } of taken) heldBy(tensor)!.written = valid;
  }

  /** The tensors with their buffers. Error: TypeError where names, types or shapes are not those of the graph. */
  #matched(kind: string, tensors: MLNamedTensors, wanted: ReadonlyMap<string, MLOperandDescriptor>) {
    const names = Object.keys(tensors);
    const odd = names.find((name) => !wanted.has(name)) ?? [...wanted.keys()].find((name) => !names.includes(name));
    if (odd !== undefined)
      throw new TypeError(
        `dispatch: ${kind} '${odd}' is ${wanted.has(odd) ? 'missing' : 'not one of the graph'} (${[...wanted.keys()].join(', ')})`,
      );
    return names.map((name) => {
      const tensor = tensors[name]!;
      const buffer = this.#bufferOf(`dispatch: ${kind} '${name}'`, tensor);
      const want = wanted.get(name)!;
      if (tensor.dataType !== want.dataType || !sameShape(tensor.shape, want.shape))
        throw new TypeError(`dispatch: ${kind} '${name}' is ${formatTensor(tensor)}, expected ${formatTensor(want)}`);
      return { name, tensor, buffer };
    });
  }

  /** Compiles a graph; `MLGraphBuilder.build` is how callers come here. */
  async compile(graph: Graph): Promise<MLGraph> {
    const inputs = topological(graph)
      .filter(isInput)
      .map((input) => [(input.options as NamedOptions).name, descriptorOf(input)] as const);
    const outputs = Object.entries(graph.outputs).map(([name, output]) => [name, descriptorOf(output)] as const);
    return settled('OperationError', async () => {
      await loadOps(['numbers']);
      const { recogniser } = await import('../patterns/index.ts');
      const recognise = await recogniser(topological(graph).map(({ op }) => op));
      const recognised = await loadingOps(() => recognise(graph));
      const session = await buildSession(this.#gpu, recognised, { runsAhead: 0, label: 'MLGraph' });
      const made = new MLGraph({ context: this, session, inputs: new Map(inputs), outputs: new Map(outputs) });
      if (this.#ended !== undefined) made.destroy();
      this.alive();
      this.#things.add(made);
      session.onDispose(() => this.#things.delete(made));
      return made;
    });
  }

  /** The types and ranks that each op takes here, and the largest tensor. */
  opSupportLimits(): MLOpSupportLimits {
    return supportLimits(this.#gpu.caps);
  }

  #end(message: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = message;
    for (const thing of [...this.#things]) thing.destroy();
    this.#gpu.dispose();
    this.#lose({ message });
  }

  /** Frees all that is on it; the device too, unless it is the caller's. What is under way ends with InvalidStateError. */
  destroy(): void {
    this.#end('it was destroyed');
  }
}
