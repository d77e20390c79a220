import { TilewrightError } from '../errors.ts';
import { attention } from './attention.ts';
import { conv2d } from './conv2d.ts';
import type { Op } from './define.ts';
import { elementwise } from './elementwise.ts';
import { widen } from './half.ts';
import { dequantizeLinear, quantizeLinear } from './linear.ts';
import { gemm, matmul } from './matmul.ts';
import { movements } from './movement.ts';
import { batchNormalization, instanceNormalization, layerNormalization } from './normalization.ts';
import { pools } from './pool2d.ts';
import { reductions } from './reduce.ts';
import { sample } from './sample.ts';
import { softmax } from './softmax.ts';
import { winograd } from './winograd.ts';

const table = new Map(
  [
    matmul,
    gemm,
    conv2d,
    ...pools,
    ...winograd,
    softmax,
    layerNormalization,
    batchNormalization,
    instanceNormalization,
    attention,
    ...elementwise,
    ...reductions,
    sample,
    ...movements,
    quantizeLinear,
    dequantizeLinear,
    widen,
  ].map((op) => [op.name, op]),
);

/** Every op that the engine has. */
export const OPS: ReadonlyMap<string, Op> = table;

/** Adds ops that load when they are asked for, or the kernels of some whose shapes alone were known. */
export function addOps(ops: readonly Op[]): void {
  for (const op of ops) table.set(op.name, op);
}

export function opNamed(name: string): Op {
  const op = OPS.get(name);
  if (!op) throw new TilewrightError('invalid-graph', `there is no op '${name}'`);
  return op;
}
