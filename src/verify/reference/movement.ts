import type { DataType } from '../../tensor/types.ts';
import { at, build, moved, type RefInputs, type RefTensor, spread } from './tensor.ts';

export function transpose({ input }: RefInputs, { permutation }: { permutation?: readonly number[] }): RefTensor {
  const order = permutation ?? input!.shape.map((_, d) => input!.shape.length - 1 - d);
  const shape = order.map((d) => input!.shape[d]!);
  return build(input!.dataType, shape, (index) => at(input!, moved(index, order, index)));
}

interface SliceOptions {
  starts: readonly number[];
  sizes: readonly number[];
  strides?: readonly number[];
}

export function slice({ input }: RefInputs, { starts, sizes, strides = starts.map(() => 1) }: SliceOptions): RefTensor {
  const shape = sizes.map((size, d) => Math.ceil(size / strides[d]!));
  return build(input!.dataType, shape, (index) =>
    at(
      input!,
      index.map((i, d) => starts[d]! + i * strides[d]!),
    ),
  );
}

export function reverse({ input }: RefInputs, { axes }: { axes?: readonly number[] }): RefTensor {
  const { shape, dataType } = input!;
  const turned = (axes ?? shape.map((_, d) => d)).map((axis) => (axis < 0 ? axis + shape.length : axis));
  return build(dataType, shape, (index) =>
    at(
      input!,
      index.map((i, d) => (turned.includes(d) ? shape[d]! - 1 - i : i)),
    ),
  );
}

interface PadOptions {
  beginningPadding: readonly number[];
  endingPadding: readonly number[];
  mode?: 'constant' | 'edge' | 'reflection' | 'symmetric';
  value?: number;
}

/** Beyond the border: the fill value, the outermost element, the mirror image without or with the outermost element. */
export function pad(
  { input }: RefInputs,
  { beginningPadding, endingPadding, mode = 'constant', value = 0 }: PadOptions,
): RefTensor {
  const { shape, dataType } = input!;
  const source = (x: number, extent: number): number => {
    if (x >= 0 && x < extent) return x;
    if (mode === 'edge') return x < 0 ? 0 : extent - 1;
    const shift = mode === 'symmetric' ? 1 : 0;
    return x < 0 ? -x - shift : 2 * (extent - 1) - x + shift;
  };
  const outShape = shape.map((size, d) => size + beginningPadding[d]! + endingPadding[d]!);
  return build(dataType, outShape, (index) => {
    const place = index.map((i, d) => i - beginningPadding[d]!);
    if (mode === 'constant' && place.some((x, d) => x < 0 || x >= shape[d]!)) return value;
    return at(
      input!,
      place.map((x, d) => source(x, shape[d]!)),
    );
  });
}

export const expand = ({ input }: RefInputs, { newShape }: { newShape: readonly number[] }): RefTensor =>
  build(input!.dataType, newShape, (index) => spread(input!, index));

export const reshape = ({ input }: RefInputs, { newShape }: { newShape: readonly number[] }): RefTensor => ({
  dataType: input!.dataType,
  shape: newShape,
  data: input!.data,
});

export function concat(inputs: RefInputs, { axis }: { axis: number }): RefTensor {
  const all = Object.values(inputs);
  const { dataType, shape: first } = all[0]!;
  const d = axis < 0 ? axis + first.length : axis;
  const size = all.reduce((sum, { shape }) => sum + shape[d]!, 0);
  const shape = first.map((extent, i) => (i === d ? size : extent));
  return build(dataType, shape, (index) => {
    let place = index[d]!;
    const from = all.find(({ shape }) => {
      const inside = place < shape[d]!;
      if (!inside) place -= shape[d]!;
      return inside;
    })!;
    return at(from, moved(index, [d], [place]));
  });
}

export function split(
  { input }: RefInputs,
  { splits, axis = 0 }: { splits: number | readonly number[]; axis?: number },
): readonly RefTensor[] {
  const { dataType, shape } = input!;
  const d = axis < 0 ? axis + shape.length : axis;
  const sizes = typeof splits === 'number' ? new Array<number>(splits).fill(shape[d]! / splits) : splits;
  return sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    const part = shape.map((extent, other) => (other === d ? size : extent));
    return build(dataType, part, (index) => at(input!, moved(index, [d], [start + index[d]!])));
  });
}

/** A negative index counts from the end; an index that is still outside is clamped. Rows of int8 are scaled back. */
export function gather(
  { input, indices, scales }: RefInputs,
  { axis = 0, dataType = scales ? 'float32' : input!.dataType }: { axis?: number; dataType?: DataType },
): RefTensor {
  const d = axis < 0 ? axis + input!.shape.length : axis;
  const rank = indices!.shape.length;
  const extent = input!.shape[d]!;
  const shape = [...input!.shape.slice(0, d), ...indices!.shape, ...input!.shape.slice(d + 1)];
  return build(dataType, shape, (index) => {
    const wanted = at(indices!, index.slice(d, d + rank));
    const row = Math.min(Math.max(wanted < 0 ? wanted + extent : wanted, 0), extent - 1);
    const element = at(input!, [...index.slice(0, d), row, ...index.slice(d + rank)]);
    if (!scales) return element;
    const groups = scales.data.length / extent;
    return element * scales.data[row * groups + Math.floor((index.at(-1)! * groups) / input!.shape.at(-1)!)]!;
  });
}

/** Rows of the state at `positions` become columns of the updates; positions beyond the state are dropped. */
export function scatterRows({ state, updates, positions }: RefInputs, { column = 0 }: { column?: number }): RefTensor {
  const [count, row] = updates!.shape.slice(-2) as [number, number];
  const [rows, width] = state!.shape.slice(-2) as [number, number];
  const heads = state!.data.length / (rows * width) / (updates!.data.length / (count * row));
  const written = new Map(Array.from(positions!.data, (position, t) => [position, t]));
  return build(state!.dataType, state!.shape, (index) => {
    const t = written.get(index.at(-2)!);
    if (t === undefined) return at(state!, index);
    const block = index.slice(0, -2).reduce((sum, i, d) => sum * state!.shape[d]! + i, 0);
    const first = column + (block % heads) * width;
    return updates!.data[(Math.floor(block / heads) * count + t) * row + first + index.at(-1)!]!;
  });
}

export const references = { transpose, slice, reverse, pad, expand, reshape, concat, split, gather, scatterRows };
