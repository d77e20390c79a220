import { attention } from './attention.ts';
import { conv2d } from './conv2d.ts';
import { BINARY, binary, cast, UNARY, unary, where } from './elementwise.ts';
import { narrow, widen } from './half.ts';
import { conv2dInteger, matmulInteger } from './integer.ts';
import { gemm, matmul } from './matmul.ts';
import { concat, expand, gather, pad, reshape, reverse, scatterRows, slice, transpose } from './movement.ts';
import { batchNormalization, instanceNormalization, layerNormalization } from './normalization.ts';
import { pool2d } from './pool2d.ts';
import { dequantizeLinear, packInt4, quantizeLinear, quantizeScales } from './quantize.ts';
import { argExtremum, REDUCTIONS, reduce } from './reduce.ts';
import { sample } from './sample.ts';
import { softmax } from './softmax.ts';
import type { RefInputs, RefTensor } from './tensor.ts';
import { winogradFilter, winogradInput, winogradOutput } from './winograd.ts';

export type Reference = (inputs: RefInputs, options: object) => RefTensor;

const entries: Record<string, (inputs: RefInputs, options: never) => RefTensor> = {
  matmul,
  gemm,
  conv2d,
  winogradFilter,
  winogradInput,
  winogradOutput,
  maxPool2d: pool2d('max'),
  averagePool2d: pool2d('average'),
  softmax,
  layerNormalization,
  batchNormalization,
  instanceNormalization,
  attention,
  ...Object.fromEntries(Object.keys(UNARY).map((name) => [name, unary(name)])),
  ...Object.fromEntries(Object.keys(BINARY).map((name) => [name, binary(name)])),
  where,
  cast,
  ...Object.fromEntries(Object.keys(REDUCTIONS).map((name) => [name, reduce(name)])),
  sample,
  argMax: argExtremum((x, best) => x > best),
  argMin: argExtremum((x, best) => x < best),
  transpose,
  slice,
  reverse,
  pad,
  expand,
  reshape,
  concat,
  gather,
  scatterRows,
  quantizeScales,
  quantizeLinear,
  dequantizeLinear,
  packInt4,
  widen,
  narrow,
  matmulInteger,
  conv2dInteger,
};

/** What each op computes, in float64 and as plainly as it can be written. */
export const REFERENCES: ReadonlyMap<string, Reference> = new Map(Object.entries(entries) as [string, Reference][]);
