import type { Caps } from '../../gpu/gpu.ts';
import { opNamed } from '../../ops/index.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Operand } from '../ir.ts';

/** Decides whether a node that a pass can write in another form gets it. */
export type Wanted = (node: Operand) => boolean;

/**
 * Winograd: on software adapters 1.1 to 2 times as fast as the direct kernel from 32 channels on. With fewer channels
 * the transforms cost more than the products save. Not on GPUs: not measured, and bandwidth costs more than arithmetic
 * there.
 */
export const winogradWins =
  (caps: Caps | undefined): Wanted =>
  ({ inputs }) =>
    Boolean(caps?.software) && Math.min(...inputs['filter']!.shape.slice(2)) >= 32;

/** Rows up to which a product is a matrix-vector product on software adapters (ops/gemm.ts). */
const FEW_ROWS = 3;

/**
 * int8 by int8: on llvmpipe only for one row times [N,K] (4096×4096: 3.5 ms with quantising, 4.8 ms with int8 weights
 * only in another run, 2026-11-22). On GPUs where WGSL has dot4I8Packed. Not on SwiftShader.
 */
export const integerWins =
  (caps: Caps | undefined): Wanted =>
  ({ op, inputs, options, shape }) => {
    if (!caps?.software) return Boolean(caps?.packedDot);
    const form = opNamed(op).integer?.(inputs, options);
    const rows = elementCount(shape) / shape.at(-1)!;
    return Boolean(form?.rows) && !form?.permutation && !caps.longKernels && rows <= FEW_ROWS;
  };
