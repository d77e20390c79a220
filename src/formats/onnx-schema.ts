import type { Field, Kind, Range, Schema } from './protobuf.ts';

const int = (name: string): Field => ({ name, kind: 'int' });
const one = (name: string, kind: Kind = 'string'): Field => ({ name, kind });
const many = (name: string, kind: Kind = 'string'): Field => ({ name, kind, repeated: true });

// Numbers of fields: onnx.proto of ONNX 1.19.
const PAIR: Schema = { name: 'StringStringEntryProto', fields: { 1: one('key'), 2: one('value') } };
export const TENSOR: Schema = {
  name: 'TensorProto',
  fields: {
    1: many('dims', 'bigint'),
    2: int('dataType'),
    3: one('segment', () => EMPTY),
    4: one('floats', 'floats'),
    5: one('ints', 'varints'),
    6: one('strings', 'bytes'),
    7: one('longs', 'varints'),
    8: one('name'),
    9: one('raw', 'bytes'),
    10: one('doubles', 'doubles'),
    11: one('unsigned', 'varints'),
    13: many('external', () => PAIR),
    14: int('location'),
  },
};
const EMPTY: Schema = { name: 'Message', fields: {} };
const ATTRIBUTE: Schema = {
  name: 'AttributeProto',
  fields: {
    1: one('name'),
    2: one('f', 'float'),
    3: one('i', 'bigint'),
    4: one('s'),
    5: one('t', () => TENSOR),
    6: one('g', () => GRAPH),
    7: many('floats', 'float'),
    8: many('ints', 'bigint'),
    9: many('strings'),
    10: many('tensors', () => TENSOR),
    11: many('graphs', () => GRAPH),
    14: one('tp', () => TYPE),
    15: many('types', () => TYPE),
    20: int('type'),
    21: one('ref'),
    22: one('sparse', () => EMPTY),
    23: many('sparses', () => EMPTY),
  },
};
const NODE: Schema = {
  name: 'NodeProto',
  fields: {
    1: many('inputs'),
    2: many('outputs'),
    3: one('name'),
    4: one('op'),
    5: many('attributes', () => ATTRIBUTE),
    7: one('domain'),
    8: one('overload'),
  },
};
const DIMENSION: Schema = { name: 'Dimension', fields: { 1: one('value', 'bigint'), 2: one('param') } };
const SHAPE: Schema = { name: 'TensorShapeProto', fields: { 1: many('dims', () => DIMENSION) } };
const TENSOR_TYPE: Schema = { name: 'TypeProto.Tensor', fields: { 1: int('type'), 2: one('shape', () => SHAPE) } };
const NESTED_TYPE: Schema = { name: 'TypeProto', fields: { 1: one('of', () => TYPE) } };
const TYPE: Schema = {
  name: 'TypeProto',
  fields: {
    1: one('tensor', () => TENSOR_TYPE),
    4: one('sequence', () => NESTED_TYPE),
    5: one('map', () => EMPTY),
    8: one('sparse', () => EMPTY),
    9: one('optional', () => NESTED_TYPE),
  },
};
const VALUE: Schema = { name: 'ValueInfoProto', fields: { 1: one('name'), 2: one('type', () => TYPE) } };
const GRAPH: Schema = {
  name: 'GraphProto',
  fields: {
    1: many('nodes', () => NODE),
    2: one('name'),
    5: many('initializers', () => TENSOR),
    11: many('inputs', () => VALUE),
    12: many('outputs', () => VALUE),
    15: many('sparse', () => EMPTY),
  },
};
const OPSET: Schema = { name: 'OperatorSetIdProto', fields: { 1: one('domain'), 2: one('version', 'bigint') } };
const FUNCTION: Schema = {
  name: 'FunctionProto',
  fields: {
    1: one('name'),
    4: many('inputs'),
    5: many('outputs'),
    6: many('attributes'),
    7: many('nodes', () => NODE),
    9: many('opsets', () => OPSET),
    10: one('domain'),
    11: many('defaults', () => ATTRIBUTE),
    13: one('overload'),
  },
};
export const MODEL: Schema = {
  name: 'ModelProto',
  fields: {
    1: one('irVersion', 'bigint'),
    2: one('producer'),
    7: one('graph', () => GRAPH),
    8: many('opsets', () => OPSET),
    14: many('metadata', () => PAIR),
    25: many('functions', () => FUNCTION),
  },
};

// Messages as their schemas decode them: a field that is not in the file is undefined.
export interface TensorMessage {
  dims?: bigint[];
  dataType?: number;
  segment?: object;
  floats?: Range[];
  ints?: Range[];
  strings?: Range[];
  longs?: Range[];
  name?: string;
  raw?: Range[];
  doubles?: Range[];
  unsigned?: Range[];
  external?: { key?: string; value?: string }[];
  location?: number;
}
export interface AttributeMessage {
  name?: string;
  f?: number;
  i?: bigint;
  s?: string;
  t?: TensorMessage;
  g?: GraphMessage;
  floats?: number[];
  ints?: bigint[];
  strings?: string[];
  tensors?: TensorMessage[];
  graphs?: GraphMessage[];
  type?: number;
  ref?: string;
}
export interface NodeMessage {
  inputs?: string[];
  outputs?: string[];
  name?: string;
  op?: string;
  attributes?: AttributeMessage[];
  domain?: string;
  overload?: string;
}
export interface TypeMessage {
  tensor?: { type?: number; shape?: { dims?: { value?: bigint; param?: string }[] } };
  sequence?: { of?: TypeMessage };
  map?: object;
  optional?: { of?: TypeMessage };
}
export interface ValueMessage {
  name?: string;
  type?: TypeMessage;
}
export interface GraphMessage {
  nodes?: NodeMessage[];
  name?: string;
  initializers?: TensorMessage[];
  inputs?: ValueMessage[];
  outputs?: ValueMessage[];
  sparse?: object[];
}
export type OpsetMessages = { domain?: string; version?: bigint }[];
export interface FunctionMessage {
  name?: string;
  inputs?: string[];
  outputs?: string[];
  attributes?: string[];
  nodes?: NodeMessage[];
  opsets?: OpsetMessages;
  domain?: string;
  defaults?: AttributeMessage[];
  overload?: string;
}
export interface ModelMessage {
  producer?: string;
  graph?: GraphMessage;
  opsets?: OpsetMessages;
  metadata?: { key?: string; value?: string }[];
  functions?: FunctionMessage[];
}
