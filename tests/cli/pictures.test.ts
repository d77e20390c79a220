import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { decodeFile, pictureFrom } from '../../src/cli/pictures.ts';
import type { Picture } from '../../src/vision/preprocess.ts';
import { cmykJpeg } from '../support/jpeg.ts';

const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A 3x2 picture whose every byte differs. */
const rgb = Uint8Array.from({ length: 18 }, (_, i) => i * 13);
const raw = (channels: 1 | 3 | 4, bytes: Uint8Array) => sharp(bytes, { raw: { width: 3, height: 2, channels } });
const opaque = (bytes: Uint8Array): number[] => [...pictureFrom(bytes, 3, 2, 3).data];

describe('decodeFile', () => {
  it('reads a path and bytes alike, and fills in alpha', async () => {
    const png = await raw(3, rgb).png().toBuffer();
    const path = join(folder, 'a.png');
    writeFileSync(path, png);
    for (const source of [path, new Uint8Array(png)]) {
      const { width, height, data } = await decodeFile(source);
      expect([width, height, [...data]]).toEqual([3, 2, opaque(rgb)]);
    }
  });

  it('keeps alpha, not premultiplied', async () => {
    const rgba = Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256);
    const { data } = await decodeFile(await raw(4, rgba).png().toBuffer());
    expect([...data]).toEqual([...rgba]);
  });

  it('widens grey to three equal channels', async () => {
    const grey = Uint8Array.of(0, 50, 100, 150, 200, 250);
    const { data } = await decodeFile(await raw(1, grey).toColourspace('b-w').png().toBuffer());
    expect([...data]).toEqual([...pictureFrom(grey, 3, 2, 1).data]);
  });

  it('turns a picture upright as its EXIF orientation says', async () => {
    const turned = await raw(3, rgb).withMetadata({ orientation: 6 }).png().toBuffer();
    const { width, height, data } = await decodeFile(turned);
    expect([width, height]).toEqual([2, 3]);
    expect([...data.slice(4, 7)]).toEqual([...rgb.slice(0, 3)]); // the first pixel has gone to the right
  });

  describe('bug 14: kinds of files', () => {
    const inks = [
      [200, 10, 90, 60],
      [0, 0, 0, 0],
      [255, 255, 255, 0],
      [0, 0, 0, 255],
      [232, 74, 153, 0],
    ] as const;
    const centres = ({ data, width }: Picture): number[][] =>
      inks.map((_, i) => [...data.subarray(4 * (3 * width + 8 * i + 3), 4 * (3 * width + 8 * i + 4))]);

    it.each([
      ['Adobe', 0],
      ['YCCK', 2],
      ['without a marker', null],
    ] as const)('a JPEG of four inks, %s, is what Pillow and Chrome make of it', async (_, transform) => {
      const expected = inks.map(([c, m, y, k]) => [...[c, m, y].map((ink) => ((255 - ink) * (255 - k)) / 255), 255]);
      const found = centres(await decodeFile(cmykJpeg(inks, transform)));
      expect(expected[4]).toEqual([23, 181, 102, 255]);
      const off = found.flatMap((pixel, i) => pixel.map((value, c) => Math.abs(value - expected[i]![c]!)));
      expect(Math.max(...off), JSON.stringify(found)).toBeLessThanOrEqual(2);
    });

    it('a PNG of 16 bits is its upper bytes', async () => {
      const deep = Uint16Array.from(rgb, (byte) => byte * 256 + 77);
      const png = await sharp(deep, { raw: { width: 3, height: 2, channels: 3 } })
        .toColourspace('rgb16')
        .png()
        .toBuffer();
      expect((await sharp(png).metadata()).depth).toBe('ushort');
      expect([...(await decodeFile(png)).data]).toEqual(opaque(rgb));
    });

    it('a PNG with a palette has its colours and alpha', async () => {
      const rgba = Uint8Array.from({ length: 24 }, (_, i) => [250, 10, 90, 255, 0, 200, 30, 128][i % 8]!);
      const png = await raw(4, rgba).png({ palette: true, effort: 1, dither: 0 }).toBuffer();
      expect((await sharp(png).metadata()).isPalette).toBe(true);
      const { data } = await decodeFile(png);
      expect(data.every((byte, i) => Math.abs(byte - rgba[i]!) <= 1)).toBe(true); // the palette is sharp's choice
    });

    it('a profile of colours is not applied', async () => {
      const png = await raw(3, rgb).withIccProfile('p3').png().toBuffer();
      const stored = await sharp(png, { ignoreIcc: true }).removeAlpha().raw().toBuffer();
      expect((await sharp(png).metadata()).hasProfile).toBe(true);
      expect([...(await decodeFile(png)).data]).toEqual(opaque(new Uint8Array(stored)));
    });
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('not a picture')],
  ])('refuses %s', async (_, bytes) => {
    const failure = { code: 'invalid-image', message: expect.stringContaining('cat.png'), hint: expect.any(String) };
    await expect(decodeFile(bytes, 'cat.png')).rejects.toMatchObject(failure);
  });

  it('refuses half a JPEG', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 256);
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    await expect(decodeFile(jpeg.subarray(0, jpeg.length / 2))).rejects.toMatchObject({ code: 'invalid-image' });
  });

  it('says which file is not there', async () => {
    const failure = { code: 'not-found', message: expect.stringContaining('nowhere.png') };
    await expect(decodeFile(join(folder, 'nowhere.png'))).rejects.toMatchObject(failure);
  });
});

describe('decodeFile without sharp', () => {
  afterEach(() => vi.doUnmock('sharp'));

  it('says which package is missing', async () => {
    vi.doMock('sharp', () => {
      throw new Error('Cannot find package');
    });
    const failure = { code: 'missing-dependency', hint: expect.stringContaining('npm install sharp') };
    await expect(decodeFile(new Uint8Array(1))).rejects.toMatchObject(failure);
  });
});
