import {
  modelMessage,
  nodeMessage,
  tensorMessage,
  valueMessage,
  type WrittenAttribute,
} from '../../src/formats/onnx-write.ts';
import { Message } from '../../src/formats/protobuf-write.ts';

/** ONNX's names of types. */
const TYPES = { float32: 'float', int32: 'int32', int64: 'int64', string: 'string', bool: 'bool' } as const;
type OnnxType = keyof typeof TYPES;
type OnnxData = Float32Array | Int32Array | BigInt64Array;

/** A number, or the name of a size that is known at run time. */
type Dimension = number | string;
type Attribute = number | string | readonly number[] | { readonly float: number };

/** The model file, and the weights beside it, as onnxruntime-web takes them. */
export interface OnnxModel {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Tensors from so many bytes on lie outside of a model whose weights are external. */
const SMALL = 1024;

const typeOf = (data: OnnxData): OnnxType =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';

/**
 * Writes an ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: the numbers are its fields). Values go
 * by their names.
 */
export class OnnxGraph {
  readonly #graph = new Message().text(2, 'graph');
  readonly #external: { path: string; data: Uint8Array }[] = [];
  #count = 0;

  /** `external` leaves the weights outside of the model file, uncopied. */
  constructor(readonly external = false) {}

  constant(data: OnnxData, shape: readonly number[], name = this.#name('constant')): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const beside = this.external && bytes.length >= SMALL;
    if (beside) this.#external.push({ path: name, data: bytes });
    const numbers = beside ? { location: name } : { bytes };
    this.#graph.message(5, tensorMessage({ name, type: TYPES[typeOf(data)], dims: shape, ...numbers }));
    return name;
  }

  integers(...values: number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  input(name: string, type: OnnxType, shape: readonly Dimension[]): string {
    this.#graph.message(11, valueMessage({ name, type: { kind: 'tensor', type: TYPES[type], dims: shape } }));
    return name;
  }

  output(name: string, type: OnnxType, shape: readonly Dimension[]): void {
    this.#graph.message(12, valueMessage({ name, type: { kind: 'tensor', type: TYPES[type], dims: shape } }));
  }

  /** An input that is left out is ''. Gives the names of the outputs: those asked for, else one of its own. */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [this.#name(op)],
  ): readonly string[] {
    const [type, domain = ''] = op.split('@') as [string, string?];
    const written = Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)] as const);
    const node = { op: type, domain, name: outputs[0]!, inputs, outputs, attributes: written };
    this.#graph.message(1, nodeMessage(node));
    return outputs;
  }

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    return this.nodes(op, inputs, attributes, output === undefined ? undefined : [output])[0]!;
  }

  /** In the operator sets that onnxruntime 1.30 knows: ONNX 20, and its own, `com.microsoft`. */
  encode(): OnnxModel {
    const opsets = new Map([
      ['', 20],
      ['com.microsoft', 1],
    ]);
    // 9: the file format that goes with operator set 20.
    const model = modelMessage(this.#graph, { producer: 'tilewright bench', version: 9, opsets });
    return { model: model.encode(), externalData: this.#external };
  }

  #name(stem: string): string {
    return `${stem.replace(/@.*/, '')}_${this.#count++}`;
  }
}

/** Integers, one float, a text. */
function attributeOf(value: Attribute): WrittenAttribute {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return BigInt(value);
  return 'float' in value ? value.float : value.map(BigInt);
}
