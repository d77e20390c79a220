import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import type { PictureForm } from '../ops/picture.ts';
import { integer, shown } from '../options.ts';

/**
 * A picture in a buffer on the engine's device (usage STORAGE): RGBA, 8 bits a channel, alpha not premultiplied, rows from
 * the top. Rows begin every `bytesPerRow` bytes, 4 * width where absent, as `copyTextureToBuffer` leaves them.
 */
export interface PictureBuffer {
  readonly width: number;
  readonly height: number;
  readonly buffer: GPUBuffer;
  readonly bytesPerRow?: number;
}

/**
 * A picture that is on the device, or that the device reads itself. Of a texture it is the first level: float or unorm
 * colours, alpha not premultiplied, rows from the top, usage TEXTURE_BINDING.
 */
export type DevicePicture = GPUTexture | PictureBuffer | VideoFrame | HTMLVideoElement;

/** A picture, ready to be bound. */
export interface Surface {
  readonly form: PictureForm;
  readonly width: number;
  readonly height: number;
  /** Pixels from row to row in a buffer. */
  readonly stride: number;
  /** Its binding, good for a submit in the same task. Error: `invalid-image` where a frame was closed meanwhile. */
  bind(): GPUBindingResource;
}

const refusal = (message: string, hint?: string): TilewrightError =>
  new TilewrightError('invalid-argument', message, hint === undefined ? {} : { hint });

/** Errors: `invalid-argument`, `invalid-image`, `limit-exceeded`. */
export function surfaceOf(gpu: Gpu, source: Exclude<DevicePicture, HTMLVideoElement>): Surface {
  if ('createView' in source) return ofTexture(source);
  if ('displayWidth' in source) return ofFrame(gpu, source);
  if ('mapAsync' in source)
    throw refusal('a GPUBuffer alone is no picture', 'Give { width, height, buffer }; logits() takes a model input.');
  return ofBuffer(gpu, source);
}

const COLOURS = /^(rgba|bgra)(8|16)unorm(-srgb)?$|^rgba(16|32)float$|^rgb10a2unorm$|^rg11b10ufloat$/;

/** GPUTextureUsage.TEXTURE_BINDING */
const TEXTURE_BINDING = 4;

function ofTexture(texture: GPUTexture): Surface {
  const { width, height, format, dimension, sampleCount, depthOrArrayLayers, usage } = texture;
  if (!COLOURS.test(format))
    throw refusal(
      `the texture's format is ${format}: expected float or unorm colours, such as rgba8unorm, bgra8unorm-srgb or rgba16float`,
    );
  if (dimension !== '2d' || sampleCount !== 1 || depthOrArrayLayers !== 1)
    throw refusal(
      `the texture is ${dimension} of ${depthOrArrayLayers} layers and ${sampleCount} samples: expected 2d of 1 and 1`,
    );
  if (!(usage & TEXTURE_BINDING)) throw refusal('the texture lacks the usage TEXTURE_BINDING');
  const form = format.endsWith('-srgb') ? 'srgb' : 'texture_2d';
  return { form, width, height, stride: 0, bind: () => texture.createView({ mipLevelCount: 1 }) };
}

const PRIMARIES: readonly unknown[] = ['bt709', null];
const TRANSFERS: readonly unknown[] = ['bt709', 'iec61966-2-1', 'smpte170m', null];

/**
 * Whether the device sees the colours of a frame as they are encoded, as the host does. It converts those of other
 * primaries to sRGB's, and takes the fourth byte of RGBX and BGRX for alpha (Chromium 156).
 */
export const isPlain = ({ format, colorSpace: { primaries, transfer } }: VideoFrame): boolean =>
  !format?.endsWith('X') && PRIMARIES.includes(primaries) && TRANSFERS.includes(transfer);

function ofFrame({ device }: Gpu, frame: VideoFrame): Surface {
  const open = (): VideoFrame => {
    if (!frame.displayWidth)
      throw new TilewrightError('invalid-image', 'the VideoFrame is closed', {
        hint: 'Close it when classify() has answered.',
      });
    return frame;
  };
  const { displayWidth: width, displayHeight: height } = open();
  const bind = (): GPUBindingResource => device.importExternalTexture({ source: open() });
  return { form: 'external', width, height, stride: 0, bind };
}

const SIDE = integer(1, 2 ** 16);

function ofBuffer({ caps }: Gpu, { width, height, buffer, bytesPerRow = 4 * width }: PictureBuffer): Surface {
  if (!SIDE[1](width) || !SIDE[1](height))
    throw refusal(
      `a picture in a buffer: expected a width and a height from 1 on, got ${shown(width)}x${shown(height)}`,
    );
  if (!(integer(4 * width)[1](bytesPerRow) && bytesPerRow % 4 === 0))
    throw refusal(
      `a picture in a buffer: bytesPerRow: expected a multiple of 4 from ${4 * width} on, got ${shown(bytesPerRow)}`,
    );
  const size = bytesPerRow * (height - 1) + 4 * width;
  if (!(buffer?.size >= size))
    throw refusal(`a picture in a buffer: ${width}x${height} takes ${size} bytes, the buffer has ${buffer?.size}`);
  if (!(buffer.usage & USAGE.STORAGE)) throw refusal('a picture in a buffer: the buffer lacks the usage STORAGE');
  if (size > caps.maxBindingBytes)
    throw new TilewrightError(
      'limit-exceeded',
      `a picture in a buffer: ${size} bytes are more than a binding can hold here (${caps.maxBindingBytes})`,
    );
  return { form: 'bytes', width, height, stride: bytesPerRow / 4, bind: () => ({ buffer, size }) };
}
