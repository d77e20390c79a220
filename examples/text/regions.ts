import {
  cornersOf,
  grown,
  type Point,
  type Quad,
  type Rectangle,
  sizeOf,
  smallestRectangle,
  turned,
} from './geometry.ts';

/** How likely each pixel is text: rows from the top, 0 to 1. */
export interface ProbabilityMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface Region {
  readonly quad: Quad;
  /** The mean probability in it, before it was grown. */
  readonly score: number;
}

/** PaddleOCR's numbers for PP-OCRv4, but for `unclip`. */
export const DB = {
  /** A pixel is text above this. */
  threshold: 0.3,
  /** A region is text from this mean on. */
  boxThreshold: 0.6,
  /** Pixels: shorter sides are specks. */
  minSide: 3,
  /**
   * The network marks text shrunken: its rectangle grows by area * unclip / perimeter. PaddleOCR has 1.5, which leaves so
   * little around Latin letters that the recogniser reads no spaces: of 14 lines of DejaVu Sans with spaces it missed some
   * in 6 at 2, and none at 3, in lines 1.2 em apart too (SwiftShader, 2026-11-28).
   */
  unclip: 3,
} as const;

/** A region at least this many times as high as it is wide holds a line that was turned by a quarter. */
const UPENDED = 1.5;

/**
 * The lines of text in a map, in its pixels: the post-processing of DB (Liao et al. 2020, Real-time scene text
 * detection with differentiable binarization).
 */
export function findRegions(map: ProbabilityMap): Region[] {
  return components(map).flatMap((edge) => {
    const tight = smallestRectangle(edge);
    if (Math.min(tight.width, tight.height) < DB.minSide) return [];
    const score = meanIn(map, tight);
    if (!(score >= DB.boxThreshold)) return [];
    const { width, height } = tight;
    const loose = grown(tight, (width * height * DB.unclip) / (2 * (width + height)));
    if (Math.min(loose.width, loose.height) < DB.minSide + 2) return [];
    const quad = cornersOf(loose);
    // Read from the top down: the letters of such a line have their heads to the right, or it is upside down.
    return [{ quad: loose.height >= UPENDED * loose.width ? turned(quad, 1) : quad, score }];
  });
}

/** Pixels above the threshold that touch, corners included: of each row of a component the first and the last pixel. */
function components({ width, height, data }: ProbabilityMap): Point[][] {
  const seen = new Uint8Array(width * height);
  const isNew = (x: number, y: number): boolean =>
    x >= 0 && x < width && y >= 0 && y < height && !seen[y * width + x] && data[y * width + x]! > DB.threshold;
  const found: Point[][] = [];
  for (let start = 0; start < data.length; start++) {
    if (!isNew(start % width, Math.floor(start / width))) continue;
    const ends = new Map<number, [first: number, last: number]>();
    const waiting = [start];
    seen[start] = 1;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      const [first, last] = ends.get(y) ?? [x, x];
      ends.set(y, [Math.min(first, x), Math.max(last, x)]);
      for (let v = y - 1; v <= y + 1; v++) {
        for (let u = x - 1; u <= x + 1; u++) {
          if (!isNew(u, v)) continue;
          seen[v * width + u] = 1;
          waiting.push(v * width + u);
        }
      }
    }
    found.push(
      [...ends].flatMap(([y, [first, last]]): Point[] => [
        [first, y],
        [last, y],
      ]),
    );
  }
  return found;
}

/** The mean of the pixels whose centres lie in a rectangle. */
function meanIn({ width, height, data }: ProbabilityMap, rectangle: Rectangle): number {
  const { center, along } = rectangle;
  const corners = cornersOf(rectangle);
  const range = (axis: 0 | 1, size: number): [number, number] => {
    const values = corners.map((corner) => corner[axis]);
    return [Math.max(0, Math.floor(Math.min(...values))), Math.min(size - 1, Math.ceil(Math.max(...values)))];
  };
  const [left, right] = range(0, width);
  const [top, bottom] = range(1, height);
  const HAIR = 1e-6; // pixels on the rectangle's own sides count, however they were rounded
  let [sum, count] = [0, 0];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [dx, dy] = [x - center[0], y - center[1]];
      if (Math.abs(along[0] * dx + along[1] * dy) > rectangle.width / 2 + HAIR) continue;
      if (Math.abs(along[0] * dy - along[1] * dx) > rectangle.height / 2 + HAIR) continue;
      sum += data[y * width + x]!;
      count++;
    }
  }
  return count ? sum / count : 0;
}

/** Corners in a picture of another size. In a map a whole number is the middle of a pixel, in the picture its edge. */
export const scaled = (quad: Quad, sx: number, sy: number): Quad =>
  quad.map(([x, y]): Point => [(x + 0.5) * sx, (y + 0.5) * sy]) as unknown as Quad;

/** Row by row as one reads, along the mean direction of all. What begins a row says how high it is. */
export function inReadingOrder(quads: readonly Quad[]): Quad[] {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const [dx, dy] = ([0, 1] as const).map((axis) => sum(quads.map(([begin, end]) => end[axis] - begin[axis])));
  const angle = Math.atan2(dy!, dx!);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const placed = quads.map((quad) => {
    const [x, y] = ([0, 1] as const).map((axis) => sum(quad.map((corner) => corner[axis])) / 4) as [number, number];
    return { quad, along: c * x + s * y, down: c * y - s * x };
  });
  const rows: (typeof placed)[] = [];
  for (const one of placed.sort((a, b) => a.down - b.down)) {
    const first = rows.at(-1)?.[0];
    if (first && one.down - first.down < Math.min(...sizeOf(first.quad)) / 2) rows.at(-1)!.push(one);
    else rows.push([one]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.along - b.along).map(({ quad }) => quad));
}
