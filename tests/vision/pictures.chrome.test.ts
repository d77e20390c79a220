import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/vision/decode.ts';
import { IMAGENET, preprocess } from '../../src/vision/preprocess.ts';
import { cmykJpeg } from '../support/jpeg.ts';

describe('bug 12: ImageData', () => {
  it('of float16 is refused, of bytes is taken', async () => {
    const half = new ImageData(8, 8, { pixelFormat: 'rgba-float16' } as ImageDataSettings);
    expect(Object.prototype.toString.call(half.data)).toBe('[object Float16Array]');
    const picture = await decodePicture(half);
    expect(() => preprocess([picture], IMAGENET)).toThrow(expect.objectContaining({ code: 'invalid-image' }));
    expect(preprocess([await decodePicture(new ImageData(8, 8))], { ...IMAGENET, size: [2, 2] })).toHaveLength(12);
  });
});

describe('bug 14: a JPEG of four inks', () => {
  const inks = [
    [200, 10, 90, 60],
    [0, 0, 0, 0],
    [255, 255, 255, 0],
    [0, 0, 0, 255],
    [232, 74, 153, 0],
  ] as const;

  it.each([0, 2, null] as const)('is what the command makes of it (transform %s)', async (transform) => {
    const { data, width } = await decodePicture(new Blob([cmykJpeg(inks, transform)]));
    const off = inks.flatMap(([c, m, y, k], i) => {
      const at = 4 * (3 * width + 8 * i + 3);
      return [c, m, y].map((ink, channel) => Math.abs(data[at + channel]! - ((255 - ink) * (255 - k)) / 255));
    });
    expect(Math.max(...off)).toBeLessThanOrEqual(2);
  });
});
