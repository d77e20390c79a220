// Ops of small weights and of integers: a line an op.
export { conv2dInteger, matmulInteger } from '../integer.ts';
export { narrow } from '../narrow.ts';
export { packInt4 } from '../pack_int4.ts';
export { dequantizeLinear, quantizeLinear, quantizeScales } from '../quantize_linear.ts';
export { unpackInt4 } from '../unpack_int4.ts';
