import { type EpilogueOptions, finish } from './matmul.ts';
import { at, build, type Element, type RefInputs, type RefTensor } from './tensor.ts';

const G = [
  [1, 0, 0],
  [1 / 2, 1 / 2, 1 / 2],
  [1 / 2, -1 / 2, 1 / 2],
  [0, 0, 1],
];
const B_TRANSPOSED = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
const A_TRANSPOSED = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

/** Element (i, j) of M x Mᵀ. */
function transformed(matrix: number[][], i: number, j: number, x: (y: number, x: number) => number): Element & object {
  let [value, mass] = [0, 0];
  matrix[i]!.forEach((left, row) => {
    matrix[j]!.forEach((right, column) => {
      const term = left * right && left * right * x(row, column);
      value += term;
      mass += Math.abs(term);
    });
  });
  return { value, mass };
}

export function winogradFilter({ filter }: RefInputs): RefTensor {
  const [, , c, o] = filter!.shape as [number, number, number, number];
  return build(
    filter!.dataType,
    [16, c, o],
    ([p, i, j]) => transformed(G, p! >> 2, p! % 4, (y, x) => at(filter!, [y, x, i!, j!])),
    9,
  );
}

const tilesOf = (h: number, w: number): [number, number] => [Math.ceil(h / 2), Math.ceil(w / 2)];

export function winogradInput(
  { input }: RefInputs,
  { padding = [0, 0, 0, 0] }: { padding?: readonly number[] },
): RefTensor {
  const [n, h, w, c] = input!.shape as [number, number, number, number];
  const [top, bottom, left, right] = padding as [number, number, number, number];
  const [rows, columns] = tilesOf(h + top + bottom - 2, w + left + right - 2);
  return build(
    input!.dataType,
    [16, n * rows * columns, c],
    ([p, tile, channel]) => {
      const image = Math.floor(tile! / (rows * columns));
      const [ty, tx] = [Math.floor(tile! / columns) % rows, tile! % columns];
      return transformed(B_TRANSPOSED, p! >> 2, p! % 4, (dy, dx) => {
        const [y, x] = [2 * ty + dy - top, 2 * tx + dx - left];
        return y < 0 || y >= h || x < 0 || x >= w ? 0 : at(input!, [image, y, x, channel!]);
      });
    },
    16,
  );
}

export function winogradOutput(
  inputs: RefInputs,
  { outputSizes, ...options }: { outputSizes: readonly [number, number] } & EpilogueOptions,
): RefTensor {
  const input = inputs['input']!;
  const [, tiles, o] = input.shape as [number, number, number];
  const [rows, columns] = tilesOf(...outputSizes);
  return build(
    input.dataType,
    [tiles / (rows * columns), ...outputSizes, o],
    (index) => {
      const [image, y, x, channel] = index as [number, number, number, number];
      const tile = (image * rows + (y >> 1)) * columns + (x >> 1);
      const sum = transformed(A_TRANSPOSED, y % 2, x % 2, (i, j) => at(input, [4 * i + j, tile, channel]));
      return finish(sum, channel, index, inputs, options);
    },
    16,
  );
}

export const references = { winogradFilter, winogradInput, winogradOutput };
