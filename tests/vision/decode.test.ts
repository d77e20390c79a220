import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodePicture } from '../../src/vision/decode.ts';

afterEach(() => vi.unstubAllGlobals());

/** Stands for the browser's decoder and canvas: a bitmap of 2x1, and what is asked of it. */
function fakeBrowser({ readError }: { readError?: Error } = {}) {
  const bitmap = { width: 2, height: 1, close: vi.fn() };
  const pixels = { width: 2, height: 1, data: Uint8ClampedArray.from([1, 2, 3, 4, 5, 6, 7, 8]) };
  const drawImage = vi.fn();
  const getImageData = vi.fn(() => {
    if (readError) throw readError;
    return pixels;
  });
  const getContext = vi.fn(() => ({ drawImage, getImageData }));
  const createImageBitmap = vi.fn(async () => bitmap);
  vi.stubGlobal('createImageBitmap', createImageBitmap);
  vi.stubGlobal(
    'OffscreenCanvas',
    class {
      getContext = getContext;
    },
  );
  return { bitmap, pixels, drawImage, getContext, createImageBitmap };
}

describe('decodePicture', () => {
  it('gives pictures and ImageData back as they are', async () => {
    const picture = { width: 1, height: 1, data: new Uint8Array(4) };
    expect(await decodePicture(picture)).toBe(picture);
  });

  it('decodes without colour management or premultiplication, and closes the bitmap', async () => {
    const { bitmap, pixels, drawImage, getContext, createImageBitmap } = fakeBrowser();
    const blob = new Blob(['x']);
    expect(await decodePicture(blob)).toBe(pixels);
    const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none', imageOrientation: 'from-image' };
    expect(createImageBitmap).toHaveBeenCalledWith(blob, options);
    expect(getContext).toHaveBeenCalledWith('2d', { willReadFrequently: true });
    expect(drawImage).toHaveBeenCalledWith(bitmap, 0, 0);
    expect(bitmap.close).toHaveBeenCalledOnce();
  });

  it('says invalid-image where the browser cannot decode', async () => {
    fakeBrowser();
    const cause = new DOMException('The source image could not be decoded.', 'InvalidStateError');
    vi.stubGlobal('createImageBitmap', () => Promise.reject(cause));
    const failure = { code: 'invalid-image', cause, hint: expect.stringContaining('PNG, JPEG') };
    await expect(decodePicture(new Blob(['x']))).rejects.toMatchObject(failure);
  });

  it('says so where the page may not read the pixels, and closes the bitmap', async () => {
    const { bitmap } = fakeBrowser({ readError: new DOMException('tainted', 'SecurityError') });
    const failure = { code: 'invalid-image', hint: expect.stringContaining('CORS') };
    await expect(decodePicture(new Blob(['x']))).rejects.toMatchObject(failure);
    expect(bitmap.close).toHaveBeenCalledOnce();
  });

  it('says what to do outside a browser', async () => {
    const failure = { code: 'invalid-image', hint: expect.stringContaining('{ width, height, data }') };
    await expect(decodePicture(new Blob(['x']))).rejects.toMatchObject(failure);
  });

  it.each([
    ['an address', '/a.png', 'got "/a.png"'],
    ['null', null, 'got null'],
    ['undefined', undefined, 'got undefined'],
    ['a Response', new Response('x'), 'got a Response'],
    ['bytes', new Uint8Array(4), 'got a Uint8Array'],
    ['a number', 7, 'got 7'],
  ])('bug 17: refuses %s, and says what to give', async (_, source, message) => {
    const failure = { code: 'invalid-argument', message: expect.stringContaining(message), hint: expect.any(String) };
    await expect(decodePicture(source as unknown as Blob)).rejects.toMatchObject(failure);
  });
});
