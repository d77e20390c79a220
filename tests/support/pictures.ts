import type { Engine } from '../../src/engine.ts';
import { USAGE } from '../../src/gpu/usage.ts';
import { BYTES } from '../../src/tensor/types.ts';
import type { Picture, Preprocessing } from '../../src/vision/preprocess.ts';
import { PictureStage } from '../../src/vision/stage.ts';
import type { DevicePicture } from '../../src/vision/surface.ts';

/** A picture of noise, some of it transparent, the same for a size. */
export function noise(width: number, height: number, opaque = false): Picture & { data: Uint8Array<ArrayBuffer> } {
  const data = new Uint8Array(4 * width * height);
  let seed = width * 65_537 + height;
  for (let i = 0; i < data.length; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = i % 4 === 3 && (opaque || seed >>> 30) ? 255 : seed >>> 24;
  }
  return { width, height, data };
}

/** GPUTextureUsage.COPY_DST | TEXTURE_BINDING */
export const TEXTURE_USAGE = 2 | 4;

/** A texture of these bytes, 4 a pixel where the format has no other. */
export function textureOf(
  device: GPUDevice,
  { width, height, data }: { width: number; height: number; data: ArrayBufferView<ArrayBuffer> },
  format: GPUTextureFormat = 'rgba8unorm',
): GPUTexture {
  const texture = device.createTexture({ size: [width, height], format, usage: TEXTURE_USAGE });
  device.queue.writeTexture({ texture }, data, { bytesPerRow: data.byteLength / height }, [width, height]);
  return texture;
}

/** A picture in a buffer, rows `bytesPerRow` apart. */
export function bufferOf(device: GPUDevice, { width, height, data }: Picture, bytesPerRow = 4 * width) {
  const bytes = new Uint8Array(bytesPerRow * height);
  for (let y = 0; y < height; y++) bytes.set(data.subarray(4 * width * y, 4 * width * (y + 1)), bytesPerRow * y);
  const buffer = device.createBuffer({ size: bytes.length, usage: USAGE.STORAGE | USAGE.COPY_DST });
  device.queue.writeBuffer(buffer, 0, bytes);
  return { width, height, buffer, bytesPerRow };
}

/** The bytes that the device makes of a picture. */
export async function preprocessed(
  { gpu }: Engine,
  source: DevicePicture,
  preprocessing: Preprocessing,
  dataType: 'float32' | 'float16' = 'float32',
): Promise<ArrayBuffer> {
  const [height, width] = preprocessing.size;
  const bytes = 3 * height * width * BYTES[dataType];
  using stage = new PictureStage(gpu, preprocessing, () => Number.POSITIVE_INFINITY);
  const target = gpu.createBuffer(bytes, USAGE.storage, 'target');
  const staging = gpu.createBuffer(bytes, USAGE.staging, 'staging');
  try {
    return await stage.use(source, { dataType }, async ({ encode }) => {
      const [, valid] = gpu.scoped('a picture', () => {
        const encoder = gpu.device.createCommandEncoder();
        encode(encoder, target);
        encoder.copyBufferToBuffer(target, 0, staging, 0, Math.ceil(bytes / 4) * 4);
        gpu.submit(encoder);
      });
      await valid;
      return gpu.readStaging(staging, bytes);
    });
  } finally {
    gpu.destroyBuffer(target);
    gpu.destroyBuffer(staging);
  }
}

/** How far two inputs of a model are apart, in bytes of a picture: before mean and std. */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>, { std }: Preprocessing): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = 255 * Math.abs(a[i]! - b[i]!) * std[Math.floor((3 * i) / a.length)]!;
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return worst;
}
