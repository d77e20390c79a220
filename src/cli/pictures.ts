import { readFile } from 'node:fs/promises';
import { TilewrightError } from '../errors.ts';
import type { Picture } from '../vision/preprocess.ts';
import { optional } from './optional.ts';

/** Extensions of the formats that `decodeFile` reads. */
export const PICTURE_FILE = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;

/**
 * Decodes a picture file, from its path or its bytes, to the pixels Pillow gives (libjpeg's exact inverse DCT, no
 * colour management), upright. `name` is what messages call it. `not-found`, `invalid-image`, or
 * `missing-dependency` without the package `sharp`.
 */
export async function decodeFile(source: string | Uint8Array, name = nameOf(source)): Promise<Picture> {
  const bytes = typeof source === 'string' ? await read(source) : source;
  const { default: sharp } = await optional('sharp', 'Decoding picture files', () => import('sharp'));
  try {
    const picture = sharp(bytes, { ignoreIcc: true, autoOrient: true });
    const inks = (await picture.metadata()).space === 'cmyk';
    const pixels = inks
      ? picture.pipelineColourspace('cmyk').toColourspace('cmyk')
      : picture.toColourspace('srgb').ensureAlpha();
    const { data, info } = await pixels.raw().toBuffer({ resolveWithObject: true });
    if (inks) printInks(data);
    return { width: info.width, height: info.height, data };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilewrightError('invalid-image', `${name} cannot be decoded: ${reason}`, {
      hint: 'JPEG, PNG, WebP, AVIF, GIF and TIFF are read.',
      cause,
    });
  }
}

/**
 * Cyan, magenta, yellow and black of each pixel (0 is none) become RGBA in place, as in Pillow and Chrome: each ink
 * takes its share of light.
 */
function printInks(data: Uint8Array): void {
  for (let at = 0; at < data.length; at += 4) {
    const light = 255 - data[at + 3]!;
    for (let c = 0; c < 3; c++) data[at + c] = Math.round(((255 - data[at + c]!) * light) / 255);
    data[at + 3] = 255;
  }
}

const nameOf = (source: string | Uint8Array): string => (typeof source === 'string' ? source : 'The picture');

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new TilewrightError('not-found', `${path} cannot be read`, { cause });
  }
}

/** A Picture from `channels` (1 or 3) interleaved bytes a pixel, [H,W,C]. */
export function pictureFrom(bytes: Uint8Array, width: number, height: number, channels: 1 | 3): Picture {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) data[pixel * 4 + c] = bytes[pixel * channels + (c % channels)]!;
  }
  return { width, height, data };
}
