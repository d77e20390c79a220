import { TilewrightError } from '../errors.ts';
import { USAGE } from '../gpu/usage.ts';
import { formatTensor, type TensorDescriptor, wordBytes } from '../tensor/types.ts';
import type { DeviceInput } from './session.ts';

/*
 * Tensors in buffers of the caller, as inputs and outputs of a run.
 */

/** Errors: `wrong-shape` for a buffer that is too small, `invalid-argument` for one of another usage. */
export function needBuffer(
  what: string,
  buffer: GPUBuffer,
  tensor: TensorDescriptor,
  usage: 'COPY_SRC' | 'COPY_DST',
): void {
  const bytes = wordBytes(tensor);
  if (!(buffer?.size >= bytes))
    throw new TilewrightError(
      'wrong-shape',
      `${what}: ${formatTensor(tensor)} takes ${bytes} bytes, the buffer has ${buffer?.size}`,
    );
  if (!(buffer.usage & USAGE[usage]))
    throw new TilewrightError('invalid-argument', `${what}: the buffer lacks the usage ${usage}`);
}

/** An input that is copied from a buffer in the submit of the run. Errors: `wrong-shape`, `invalid-argument`. */
export function tensorIn(what: string, buffer: GPUBuffer, tensor: TensorDescriptor): DeviceInput {
  needBuffer(what, buffer, tensor, 'COPY_SRC');
  return { encode: (encoder, target) => encoder.copyBufferToBuffer(buffer, 0, target, 0, wordBytes(tensor)) };
}
