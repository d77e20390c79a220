import { binary, cast, unary } from '../elementwise.ts';
import { gemm, matmul } from '../matmul.ts';
import { reshape } from '../reshape.ts';
import { widen } from '../widen.ts';

/** Ops that are always there. */
export const core = { binary, cast, unary, gemm, matmul, reshape, widen };
