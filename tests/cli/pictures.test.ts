import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { decodeFile, pictureFrom } from '../../src/cli/pictures.ts';

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
