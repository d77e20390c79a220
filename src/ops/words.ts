import type { DataType } from '../tensor/types.ts';
import type { Operand, Rewriter } from './define.ts';
import { cast } from './elementwise.ts';

/** Parts of shaders/lib/elem.wgsl: types whose elements kernels write one at a time. */
export const WORDS: Partial<Record<DataType, string>> = { float32: 'f32', float16: 'f16', int32: 'i32', uint32: 'u32' };

const WIDE: Partial<Record<DataType, DataType>> = { int8: 'int32', uint8: 'uint32' };

/** What an op gives of bytes in a type of `WORDS`; undefined for other types. */
export function widened<Made>(rewriter: Rewriter, input: Operand, op: (wide: Operand) => Made): Made | undefined {
  const to = WIDE[input.dataType];
  return to && op(rewriter.add(cast.name, { input }, { to }));
}
