import { TilewrightError } from '../errors.ts';
import { object, shown } from '../options.ts';
import type { Picture } from './preprocess.ts';
import type { DevicePicture } from './surface.ts';

/** What a page may hand over as a picture. */
export type PictureSource =
  | Blob
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageData
  | Picture;

/** What a picture that the device may read itself has of its own: a texture, a buffer alone, a frame, a video. */
const DEVICE = ['createView', 'mapAsync', 'displayWidth', 'videoWidth'];

/** Whether the device may be able to read a picture itself (vision/stage.ts). */
export const isDevicePicture = (source: PictureSource | DevicePicture): source is DevicePicture =>
  object[1](source) && (DEVICE.some((name) => name in source) || ('buffer' in source && 'height' in source));

/** Whether a picture is in a texture or a buffer. */
export const isOnDevice = (source: PictureSource | DevicePicture): boolean =>
  isDevicePicture(source) && !('displayWidth' in source || 'videoWidth' in source);

/** What else than a Blob has one of these; `displayWidth` is a VideoFrame's. */
const SOURCE = ['data', 'width', 'displayWidth'];

/**
 * The pixels of a source, upright (EXIF orientation applied) and without colour management, as Pillow reads them. A
 * Picture or ImageData comes back as it is; of a video it is the current frame. Errors: `invalid-image` when the
 * browser cannot decode or may not read it, `invalid-argument` when it is no picture. The source itself is neither
 * closed nor changed.
 */
export async function decodePicture(source: PictureSource): Promise<Picture> {
  if (!(object[1](source) && (source instanceof Blob || SOURCE.some((name) => name in source)))) {
    throw new TilewrightError(
      'invalid-argument',
      `a picture is a Blob, an <img>, <video> or canvas, an ImageBitmap, ImageData or { width, height, data }, got ${shown(source)}`,
      { hint: 'Of an address: await (await fetch(url)).blob(). Of the bytes of a file: new Blob([bytes]).' },
    );
  }
  if ('data' in source) return source;
  try {
    const webp = source instanceof Blob && (await source.slice(8, 12).text()) === 'WEBP';
    const bitmap = await createImageBitmap(source, { ...AS_STORED, imageOrientation: webp ? 'none' : 'from-image' });
    try {
      const pixels = pixelsOf(bitmap);
      return webp ? await (await import('./webp-orientation.ts')).upright(source, pixels) : pixels;
    } finally {
      bitmap.close();
    }
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** No colour management, and no colour lost to transparency. */
const AS_STORED = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' } as const;

/** What an element of a page shows now, for a worker, which has no elements. Error: `invalid-image`. */
export async function bitmapOf(element: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(element, { ...AS_STORED, imageOrientation: 'from-image' });
  } catch (cause) {
    throw unreadable(cause);
  }
}

function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(`no 2D canvas of ${width}x${height}`);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** The error for what a browser says of a picture. */
export const unreadable = (cause: unknown): TilewrightError =>
  new TilewrightError('invalid-image', `The picture cannot be decoded: ${reason(cause)}`, {
    hint: hintFor(cause),
    cause,
  });

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function hintFor(cause: unknown): string {
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'SecurityError') return 'Serve the picture with CORS headers and set crossOrigin = "anonymous" on it.';
  if (name === 'ReferenceError') return 'Decoding needs a page or a worker; elsewhere pass { width, height, data }.';
  return 'Browsers decode PNG, JPEG, WebP, GIF and AVIF; an <img> or <video> must have loaded first.';
}
