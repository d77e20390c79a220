import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import type { Operand } from '../graph/ir.ts';
import type { Session } from '../runtime/session.ts';
import { type DataType, formatTensor, type TensorDescriptor, wordBytes } from '../tensor/types.ts';
import { submitted } from './feedback.ts';
import { toDevice, typeOf, type Value } from './values.ts';

/*
 * Inputs and outputs of a run that are on the device, in buffers of the caller.
 */

/** Errors: `wrong-shape` for a buffer that is too small, `invalid-argument` for one of another usage. */
function needBuffer(what: string, buffer: GPUBuffer, tensor: TensorDescriptor, usage: 'COPY_SRC' | 'COPY_DST'): void {
  const bytes = wordBytes(tensor);
  if (!(buffer?.size >= bytes))
    throw new TilewrightError(
      'wrong-shape',
      `${what}: ${formatTensor(tensor)} takes ${bytes} bytes, the buffer has ${buffer?.size}`,
    );
  if (!(buffer.usage & USAGE[usage]))
    throw new TilewrightError('invalid-argument', `${what}: the buffer lacks the usage ${usage}`);
}

/** Copies an input into a session. Errors: `wrong-shape`, `invalid-argument`, `gpu-validation`. */
export async function take(
  gpu: Gpu,
  name: string,
  buffer: GPUBuffer,
  session: Session,
  operand: Operand,
): Promise<void> {
  needBuffer(`input ${name}`, buffer, operand, 'COPY_SRC');
  const target = session.inputBuffer(name);
  const copy = (): void =>
    submitted(gpu, (encoder) => encoder.copyBufferToBuffer(buffer, 0, target, 0, wordBytes(operand)));
  await gpu.turns.next(() => gpu.scoped(`input ${name}`, copy)[1]);
}

/**
 * Buffers by the place of the output that they take. What the host computed is written into them at once; `float`: what
 * float is on the device.
 */
export function targetsOf(
  gpu: Gpu,
  asked: readonly { name: string; place: string; buffer: GPUBuffer }[],
  values: readonly Value[],
  float: DataType,
): Record<string, GPUBuffer> {
  const targets: Record<string, GPUBuffer> = {};
  for (const { name, place, buffer } of asked) {
    const value = values[Number(place)]!;
    if (value.kind !== 'tensor')
      throw new TilewrightError('unsupported-option', `copy: '${name}' is a ${value.kind}, not a tensor`);
    const { type, shape, known } = value;
    const floats = type === 'float' || type === 'double';
    const dataType = value.operand?.dataType ?? (floats ? float : typeOf(type, name).device);
    needBuffer(`copy: '${name}'`, buffer, { dataType, shape }, 'COPY_DST');
    if (known) {
      const bytes = new Uint8Array(wordBytes({ dataType, shape }));
      const data = toDevice(name, value, known, dataType);
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      gpu.device.queue.writeBuffer(buffer, 0, bytes);
    } else targets[place] = buffer;
  }
  return targets;
}
