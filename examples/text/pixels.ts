import { type Picture, preprocess, type Triple } from '../../src/vision/preprocess.ts';
import { type Quad, sizeOf } from './geometry.ts';

/** What stands in a quadrilateral of a picture, upright, at its own size: bilinear, its edges go on beyond the picture. */
export function crop({ width, height, data }: Picture, quad: Quad): Picture {
  const [wide, tall] = sizeOf(quad).map((side) => Math.max(1, Math.round(side))) as [number, number];
  const [[x0, y0], [x1, y1], , [x2, y2]] = quad;
  const out = new Uint8ClampedArray(wide * tall * 4);
  const clamp = (value: number, size: number): number => Math.min(Math.max(value, 0), size - 1);
  for (let row = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++) {
      const [u, v] = [(column + 0.5) / wide, (row + 0.5) / tall];
      const x = clamp(x0 + u * (x1 - x0) + v * (x2 - x0) - 0.5, width);
      const y = clamp(y0 + u * (y1 - y0) + v * (y2 - y0) - 0.5, height);
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [right, below] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
      const [fx, fy] = [x - left, y - top];
      for (let c = 0; c < 4; c++) {
        const at = (px: number, py: number): number => data[(py * width + px) * 4 + c]!;
        const upper = at(left, top) * (1 - fx) + at(right, top) * fx;
        const lower = at(left, below) * (1 - fx) + at(right, below) * fx;
        out[(row * wide + column) * 4 + c] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return { width: wide, height: tall, data: out };
}

export interface Scaling {
  readonly mean: Triple;
  readonly std: Triple;
}

/** Of the detector: means and deviations of ImageNet, which PaddleOCR gives to blue, green, red in this order. */
export const DETECTOR: Scaling = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** To [-1, 1]. */
export const LINE: Scaling = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/**
 * float32 [1, 3, height, width] of a picture resized to that: planes of blue, green and red, as OpenCV has them. With
 * `room`, which is the width then, zeros stand to the right of it.
 */
export function tensorOf(
  picture: Picture,
  [height, width]: readonly [number, number],
  { mean, std }: Scaling,
  room = width,
): { dims: readonly number[]; data: Float32Array } {
  const reversed = <T>([first, second, third]: readonly [T, T, T]): [T, T, T] => [third, second, first];
  const planes = preprocess([picture], {
    size: [height, width],
    cropPct: 1,
    fit: 'squash',
    interpolation: 'bilinear',
    mean: reversed(mean),
    std: reversed(std),
  });
  const data = new Float32Array(3 * height * room);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const from = ((2 - c) * height + y) * width;
      data.set(planes.subarray(from, from + width), (c * height + y) * room);
    }
  }
  return { dims: [1, 3, height, room], data };
}
