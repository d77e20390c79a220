import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { needBuffer } from '../runtime/device-tensors.ts';
import { type DataType, wordBytes } from '../tensor/types.ts';
import { toDevice, typeOf, type Value } from './values.ts';

/*
 * Outputs of a run that are left on the device, in buffers of the caller.
 */

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
