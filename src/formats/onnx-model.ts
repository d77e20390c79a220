import type { TensorSource } from '../tensor/source.ts';

/** Element types under ONNX's names, in the order of `TensorProto.DataType`. */
export const ONNX_TYPES = [
  'undefined',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
] as const;
export type OnnxType = (typeof ONNX_TYPES)[number];

/** What a value of a graph is: dimensions are numbers, or symbols; undefined where nothing is said. */
export type OnnxValueType =
  | { readonly kind: 'tensor'; readonly type: OnnxType; readonly dims: readonly (number | string)[] | undefined }
  | { readonly kind: 'sequence' | 'optional'; readonly of: OnnxValueType }
  | { readonly kind: 'map' | 'sparse tensor' };

export interface OnnxValueInfo {
  readonly name: string;
  readonly type: OnnxValueType | undefined;
}

export type OnnxAttribute =
  | number
  | bigint
  | string
  | OnnxTensor
  | OnnxGraph
  | readonly number[]
  | readonly bigint[]
  | readonly string[]
  | readonly OnnxTensor[]
  | readonly OnnxGraph[]
  /** In a function: the attribute of its call. */
  | { readonly ref: string };

export interface OnnxNode {
  readonly op: string;
  /** Empty for ONNX's own ops. */
  readonly domain: string;
  readonly overload: string;
  readonly name: string;
  /** Names of values; empty where one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
  /** Names of attributes; those with a default have it. */
  readonly attributes: readonly string[];
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly opsets: ReadonlyMap<string, number>;
}

export interface OnnxModel {
  readonly name: string;
  readonly producer: string;
  /** Versions of the operator sets by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor of a file. Its numbers are read when they are asked for. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Bytes of `bytes`, or of all texts. */
  readonly byteLength: number;
  /** All texts, of a tensor of strings. */
  strings(signal?: AbortSignal): Promise<string[]>;
  /** All bytes as they lie in memory: little-endian, two numbers of 4 bits or four of 2 a byte. */
  bytes(signal?: AbortSignal): Promise<Uint8Array>;
  /** To be streamed to the device; undefined for a type that no device has. */
  readonly source: TensorSource | undefined;
}
