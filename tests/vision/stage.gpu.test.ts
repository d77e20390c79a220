import { describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';
import { IMAGENET, type Picture, type Preprocessing, preprocess } from '../../src/vision/preprocess.ts';
import { testEngine } from '../support/engine.ts';
import { apart, bufferOf, noise, preprocessed, textureOf } from '../support/pictures.ts';

/** Bytes of a picture that the device may be apart from the host: issue 13 allows 1; sums of float32 keep well below. */
const NEAR = 0.02;

/** Targets of odd and of even lengths, every fit and both filters. */
const HOW: readonly Preprocessing[] = [
  { ...IMAGENET, size: [33, 21] },
  { ...IMAGENET, size: [16, 16], interpolation: 'bicubic', fit: 'squash' },
  { ...IMAGENET, size: [17, 30], cropPct: 1, fit: 'none' },
  { ...IMAGENET, size: [24, 40], cropPct: 1, interpolation: 'bicubic' },
];

/** 1 × 1, lines, primes, smaller and larger than the target, 4k. */
const SIZES = [
  [1, 1],
  [1, 50],
  [50, 1],
  [1, 1999],
  [2, 2],
  [3, 7],
  [7, 3],
  [13, 11],
  [16, 16],
  [17, 30],
  [31, 37],
  [32, 32],
  [64, 48],
  [97, 101],
  [127, 5],
  [5, 127],
  [211, 199],
  [500, 333],
  [640, 480],
  [3840, 2160],
] as const;

describe("pictures on the device are the host's, within a byte", () => {
  it.each(SIZES.map(([width, height], i) => ({ width, height, how: HOW[i % HOW.length]! })))(
    '$width × $height to $how.size',
    async ({ width, height, how }) => {
      const engine = await testEngine();
      const picture = noise(width, height);
      const expected = preprocess([picture], how);
      const texture = textureOf(engine.device, picture);
      const inBuffer = bufferOf(engine.device, picture, 4 * width + 12);
      try {
        for (const source of [texture, inBuffer]) {
          const got = new Float32Array(await preprocessed(engine, source, how));
          expect(apart(got, expected, how)).toBeLessThan(NEAR);
        }
      } finally {
        texture.destroy();
        inBuffer.buffer.destroy();
      }
    },
  );

  it.each(HOW)('as float16 to $size', async (how) => {
    const engine = await testEngine();
    const picture = noise(45, 38);
    const texture = textureOf(engine.device, picture);
    const got = new Uint16Array(await preprocessed(engine, texture, how, 'float16'));
    texture.destroy();
    // The spacing of float16 from 2 to 4 is 1/512, and IMAGENET ends at 2.64: a quarter of a byte.
    expect(apart(Float32Array.from(got, fromHalf), preprocess([picture], how), how)).toBeLessThan(0.3);
  });
});

describe('formats of textures', () => {
  const how: Preprocessing = { ...IMAGENET, size: [8, 8] };
  const picture = noise(19, 23);
  const swapped = picture.data.map((_, i) => picture.data[i % 4 < 3 ? i - (i % 4) + 2 - (i % 4) : i]!);
  const units = Float32Array.from(picture.data, (byte) => byte / 255);
  const forms: [GPUTextureFormat, ArrayBufferView<ArrayBuffer>][] = [
    ['bgra8unorm', swapped],
    ['rgba8unorm-srgb', picture.data],
    ['bgra8unorm-srgb', swapped],
    ['rgba16float', Uint16Array.from(units, toHalf)],
    ['rgba32float', units],
  ];

  it.each(forms)('%s', async (format, data) => {
    const engine = await testEngine();
    const texture = textureOf(engine.device, { ...picture, data }, format);
    const got = new Float32Array(await preprocessed(engine, texture, how));
    texture.destroy();
    expect(apart(got, preprocess([picture as Picture], how), how)).toBeLessThan(format === 'rgba16float' ? 0.1 : NEAR);
  });
});
