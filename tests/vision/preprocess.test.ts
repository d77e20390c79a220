import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IMAGENET, type Picture, type Preprocessing, preprocess } from '../../src/vision/preprocess.ts';
import type { Interpolation } from '../../src/vision/resample.ts';

interface Fixture {
  cases: {
    name: string;
    picture: { width: number; height: number; data: string };
    preprocessing: Omit<Preprocessing, 'interpolation'>;
    expected: Record<Interpolation, string>;
  }[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/preprocess.json', import.meta.url), 'utf8'));
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const floats = (base64: string): Float32Array => new Float32Array(bytes(base64).buffer);

/** The largest difference; NaN counts as infinite. */
function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((worst, value, i) => {
    const difference = Math.abs(value - b[i]!);
    return difference <= worst ? worst : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }, 0);
}

function plain(width: number, height: number, rgba: readonly number[]): Picture {
  return { width, height, data: Uint8Array.from({ length: width * height * 4 }, (_, i) => rgba[i % 4]!) };
}

const exact: Preprocessing = { ...IMAGENET, size: [2, 2], cropPct: 1 };

describe('preprocess equals PyTorch', () => {
  const cases = fixture.cases.flatMap((one) =>
    (['bilinear', 'bicubic'] as const).map((interpolation) => ({
      title: `${one.name}, ${interpolation}`,
      interpolation,
      ...one,
    })),
  );
  it.each(cases)('$title', ({ picture, preprocessing, expected, interpolation }) => {
    const result = preprocess([{ ...picture, data: bytes(picture.data) }], { ...preprocessing, interpolation });
    expect(distance(result, floats(expected[interpolation]))).toBeLessThanOrEqual(1e-5);
  });

  it('to the bit where nothing is resampled', () => {
    const same = fixture.cases.find(({ name }) => name.includes('no resampling'))!;
    const picture = { ...same.picture, data: bytes(same.picture.data) };
    for (const interpolation of ['bilinear', 'bicubic'] as const) {
      const result = preprocess([picture], { ...same.preprocessing, interpolation });
      expect(result).toEqual(floats(same.expected[interpolation]));
    }
  });
});

describe('preprocess', () => {
  it('lays a batch out as NCHW', () => {
    const red = plain(2, 2, [255, 0, 0, 255]);
    const blue = plain(2, 2, [0, 0, 255, 255]);
    const result = preprocess([red, blue], { ...exact, mean: [0, 0, 0], std: [1, 1, 1] });
    const [on, off] = [Array(4).fill(1), Array(4).fill(0)];
    expect([...result]).toEqual([...on, ...off, ...off, ...off, ...off, ...on]);
  });

  it('gives an empty tensor for no pictures', () => {
    expect(preprocess([], exact)).toHaveLength(0);
  });

  it('lays transparent pixels over white', () => {
    const clear = preprocess([plain(2, 2, [10, 20, 30, 0])], exact);
    expect(clear).toEqual(preprocess([plain(2, 2, [255, 255, 255, 255])], exact));
  });

  it('keeps a flat picture flat, whatever the ratio', () => {
    const flat = { ...IMAGENET, size: [9, 9] as const, mean: [0, 0, 0] as const, std: [1, 1, 1] as const };
    for (const [width, height] of [
      [1, 50],
      [50, 3],
      [9, 9],
      [400, 300],
      [4, 5],
    ] as const) {
      for (const interpolation of ['bilinear', 'bicubic'] as const) {
        const result = preprocess([plain(width, height, [51, 51, 51, 255])], { ...flat, interpolation });
        expect(distance(result, new Float32Array(9 * 9 * 3).fill(0.2))).toBeLessThanOrEqual(1e-6);
      }
    }
  });

  it('takes a strip a thousand times as long as wide', () => {
    const result = preprocess([plain(2, 2000, [51, 51, 51, 255])], { ...IMAGENET, mean: [0, 0, 0], std: [1, 1, 1] });
    expect(distance(result, new Float32Array(224 * 224 * 3).fill(0.2))).toBeLessThanOrEqual(1e-6);
  });

  it.each([
    ['too few bytes', { width: 2, height: 2, data: new Uint8Array(15) }],
    ['RGB without alpha', { width: 2, height: 2, data: new Uint8Array(12) }],
    ['an empty picture', { width: 0, height: 2, data: new Uint8Array(0) }],
    ['a fractional size', { width: 1.5, height: 2, data: new Uint8Array(12) }],
  ])('refuses %s', (_, picture) => {
    expect(() => preprocess([picture], exact)).toThrow(expect.objectContaining({ code: 'invalid-image' }));
  });

  it.each([
    { size: [0, 4] as const },
    { size: [2.5, 4] as const },
    { cropPct: 0 },
    { cropPct: Number.NaN },
    { cropPct: -1 },
    { cropPct: 1e-9 },
    { std: [1, 0, 1] as const },
  ])('refuses %o', (wrong) => {
    expect(() => preprocess([], { ...exact, ...wrong })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('bug 12: data that are no bytes', () => {
  it.each([
    ['fractions', new Float32Array(16)],
    ['Uint16Array', new Uint16Array(16)],
    ['Int8Array', new Int8Array(16)],
    ['a list', Array(16).fill(0)],
    ['too few', new Uint8Array(15)],
    ['too many', new Uint8ClampedArray(20)],
    ['a buffer', new ArrayBuffer(16)],
    ['text', '0123456789abcdef'],
    ['nothing', undefined],
    ['null', null],
  ])('%s', (_, data) => {
    const picture = { width: 2, height: 2, data } as unknown as Picture;
    expect(() => preprocess([picture], IMAGENET)).toThrow(expect.objectContaining({ code: 'invalid-image' }));
  });

  it.each([
    [0, 4],
    [-2, -2],
    [1.5, 2],
    ['2', 2],
    [Number.NaN, 2],
  ])('a size of %s x %s', (width, height) => {
    const picture = { width, height, data: new Uint8Array(16) } as unknown as Picture;
    expect(() => preprocess([picture], IMAGENET)).toThrow(expect.objectContaining({ code: 'invalid-image' }));
  });

  it('takes bytes of both kinds, and Buffers of Node', () => {
    for (const data of [new Uint8Array(16), new Uint8ClampedArray(16), Buffer.alloc(16)])
      expect(preprocess([{ width: 2, height: 2, data }], { ...IMAGENET, size: [2, 2] })).toHaveLength(12);
  });
});
