import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/vision/decode.ts';

// Two rows of three pixels: red, green, blue; yellow, cyan, magenta.
const WEBP = 'UklGRjQAAABXRUJQVlA4TCgAAAAvAkAAAC8gEEjaH3qN+RcQFPk/2vwHH0QCg0K2EeDQvQSncBH9j2MF';
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e5JrAAAAGElEQVQImWP4z8DAAMH//zMw/P//n+E/AErJCPgyknoBAAAAAElFTkSuQmCC';

const bytesOf = (base64: string): number[] => Array.from(atob(base64), (c) => c.charCodeAt(0));
const text = (letters: string): number[] => [...new TextEncoder().encode(letters)];
const big = (value: number): number[] => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const little = (value: number): number[] => big(value).reverse();

/** EXIF with a field before the orientation, in either order of bytes. */
function exif(orientation: number, order: 'II' | 'MM' = 'II'): number[] {
  const [half, word] = [
    (value: number) => (order === 'II' ? little(value).slice(0, 2) : big(value).slice(2)),
    order === 'II' ? little : big,
  ];
  const entry = (tag: number, type: number, value: number[]): number[] => [
    ...half(tag),
    ...half(type),
    ...word(1),
    ...value,
  ];
  return [
    ...[...text(order), ...half(42), ...word(8), ...half(2)],
    ...entry(0x0100, 4, word(3)),
    ...entry(0x0112, 3, [...half(orientation), 0, 0]),
    ...word(0),
  ];
}

const chunk = (name: string, body: readonly number[]): number[] => [
  ...text(name),
  ...little(body.length),
  ...body,
  ...(body.length % 2 ? [0] : []),
];

/** The WebP in its extended form, with EXIF at the end. */
function webp(data: readonly number[]): Blob {
  const picture = bytesOf(WEBP).slice(12);
  const chunks = [...chunk('VP8X', [8, 0, 0, 0, 2, 0, 0, 1, 0, 0]), ...picture, ...chunk('EXIF', data)];
  return new Blob([Uint8Array.from([...text('RIFF'), ...little(chunks.length + 4), ...text('WEBP'), ...chunks])]);
}

function crc(bytes: readonly number[]): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** The PNG with a chunk eXIf before its pixels. */
function png(data: readonly number[]): Blob {
  const file = bytesOf(PNG);
  const body = [...text('eXIf'), ...data];
  return new Blob([
    Uint8Array.from([...file.slice(0, 33), ...big(data.length), ...body, ...big(crc(body)), ...file.slice(33)]),
  ]);
}

const LETTERS: Record<string, string> = {
  '255,0,0': 'r',
  '0,255,0': 'g',
  '0,0,255': 'b',
  '255,255,0': 'y',
  '0,255,255': 'c',
  '255,0,255': 'm',
};

/** The pixels by their first letters, row by row. */
async function seen(blob: Blob): Promise<string> {
  const { width, height, data } = await decodePicture(blob);
  const letters = Array.from(
    { length: width * height },
    (_, i) => LETTERS[data.subarray(4 * i, 4 * i + 3).join()] ?? '?',
  );
  return Array.from({ length: height }, (_, y) => letters.slice(y * width, (y + 1) * width).join('')).join(' ');
}

const UPRIGHT = ['', 'rgb ycm', 'bgr mcy', 'mcy bgr', 'ycm rgb', 'ry gc bm', 'yr cg mb', 'mb cg yr', 'bm gc ry'];

describe('bug 22: pictures are upright', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('WebP with orientation %i', async (orientation) => {
    expect(await seen(webp(exif(orientation)))).toBe(UPRIGHT[orientation]);
    expect(await seen(webp(exif(orientation, 'MM')))).toBe(UPRIGHT[orientation]);
    expect(await seen(webp([...text('Exif'), 0, 0, ...exif(orientation)]))).toBe(UPRIGHT[orientation]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('PNG with orientation %i', async (orientation) => {
    expect(await seen(png(exif(orientation)))).toBe(UPRIGHT[orientation]);
  });

  it.each([
    ['no number that is one', exif(9)],
    ['nothing', []],
    ['half of it', exif(6).slice(0, 20)],
    ['an address far away', [...text('II'), 42, 0, ...little(1 << 30)]],
    ['no EXIF', text('hello, world')],
  ])('WebP whose EXIF is %s lies as it is', async (_, data) => {
    expect(await seen(webp(data))).toBe(UPRIGHT[1]);
  });
});
