import type { Caps } from '../../gpu/gpu.ts';
import { opNamed } from '../../ops/index.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Operand } from '../ir.ts';

/** Which of the nodes that a pass could write in another form shall be. */
export type Wanted = (node: Operand) => boolean;

/**
 * On software adapters it is 1.1 to 2 times as fast as the direct kernel from 32 channels on; with fewer the transforms cost more
 * than the products save. On GPUs, where bandwidth is dear beside arithmetic, it waits for a measurement.
 */
export const winogradWins =
  (caps: Caps | undefined): Wanted =>
  ({ inputs }) =>
    Boolean(caps?.software) && Math.min(...inputs['filter']!.shape.slice(2)) >= 32;

/** Rows up to which a product is a matrix-vector product on software adapters (ops/gemm.ts). */
const FEW_ROWS = 3;

/**
 * On llvmpipe a row times [N,K] gains (4096×4096, quantising included: 3.5 ms, weights alone 4.8 in another run, 2026-11-22); [K,N], more
 * rows, and SwiftShader do not. GPUs have instructions for it where WGSL has.
 */
export const integerWins =
  (caps: Caps | undefined): Wanted =>
  ({ op, inputs, options, shape }) => {
    if (!caps?.software) return Boolean(caps?.packedDot);
    const form = opNamed(op).integer?.(inputs, options);
    const rows = elementCount(shape) / shape.at(-1)!;
    return Boolean(form?.rows) && !form?.permutation && !caps.longKernels && rows <= FEW_ROWS;
  };
