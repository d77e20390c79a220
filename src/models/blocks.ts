import type { CheckpointTensor } from '../formats/safetensors.ts';
import { leaf, type Operand, operand } from '../graph/ir.ts';
import type { Blocks } from '../tensor/source.ts';

/** Numbers that share a scale in the blocks that the kernels of small weights read. */
const GROUP = 32;

/**
 * A tensor of blocks as a graph has it: its bytes go to the device as they lie in the file. Q8_0 is int8 and Q4_0 int4 with a scale for
 * 32, which kernels read; Q4_K and Q6_K become float32 there, which then is what any float weight is.
 */
export function unblocked(tensor: CheckpointTensor, { type, source }: Blocks): Operand {
  const { name, shape } = tensor;
  const words = Math.ceil(source.shape[0]! / 4);
  const input = leaf('constant', { dataType: 'uint32', shape: [words] }, { source, blocksOf: tensor }, name);
  const part = (of: string, newShape: readonly number[]): Operand =>
    operand('unblock', { input }, { from: type, of, newShape }, name);
  if (type !== 'Q8_0' && type !== 'Q4_0') return part('floats', shape);
  const integers = part('integers', shape);
  const packed = (): Operand => operand('packInt4', { input: integers }, {}, name);
  // Kernels that read int4 take what is unpacked here; others get int8.
  const small = type === 'Q4_0' ? operand('unpackInt4', { input: packed() }, {}, name) : integers;
  const scale = part('scales', [...shape.slice(0, -1), shape.at(-1)! / GROUP]);
  return operand('dequantizeLinear', { input: small, scale }, {}, name);
}
