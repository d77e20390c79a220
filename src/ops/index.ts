import { TilewrightError } from '../errors.ts';
import { attention } from './attention.ts';
import { conv2d } from './conv2d.ts';
import type { Op } from './define.ts';
import { elementwise } from './elementwise.ts';
import { halves } from './half.ts';
import { packInt4 } from './int4.ts';
import { integerProducts } from './integer.ts';
import { gemm, matmul } from './matmul.ts';
import { movements } from './movement.ts';
import { batchNormalization, instanceNormalization, layerNormalization } from './normalization.ts';
import { pools } from './pool2d.ts';
import { quantization } from './quantize.ts';
import { reductions } from './reduce.ts';
import { sample } from './sample.ts';
import { softmax } from './softmax.ts';
import { winograd } from './winograd.ts';

/** Every op that the engine has. */
export const OPS: ReadonlyMap<string, Op> = new Map(
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
    ...quantization,
    ...halves,
    packInt4,
    ...integerProducts,
  ].map((op) => [op.name, op]),
);

export function opNamed(name: string): Op {
  const op = OPS.get(name);
  if (!op) throw new TilewrightError('invalid-graph', `there is no op '${name}'`);
  return op;
}
