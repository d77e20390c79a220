import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

export function triangular(
  { input }: RefInputs,
  { upper = true, diagonal = 0 }: { upper?: boolean; diagonal?: number },
): RefTensor {
  return build(input!.dataType, input!.shape, (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    return (upper ? column >= row + diagonal : column <= row + diagonal) ? at(input!, index) : 0;
  });
}

export function tile({ input }: RefInputs, { repetitions }: { repetitions: readonly number[] }): RefTensor {
  const { dataType, shape } = input!;
  return build(
    dataType,
    shape.map((size, d) => size * repetitions[d]!),
    (index) =>
      at(
        input!,
        index.map((i, d) => i % shape[d]!),
      ),
  );
}

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export function reverseSequence(
  { input, lengths }: RefInputs,
  { batchAxis = 1, timeAxis = 0 }: { batchAxis?: number; timeAxis?: number },
): RefTensor {
  const { dataType, shape } = input!;
  const [batch, time] = [positive(batchAxis, shape.length), positive(timeAxis, shape.length)];
  return build(dataType, shape, (index) => {
    const length = Math.min(at(lengths!, [index[batch]!]), shape[time]!);
    return at(
      input!,
      index.map((i, d) => (d === time && i < length ? length - 1 - i : i)),
    );
  });
}

export function oneHot(
  { indices, values }: RefInputs,
  { depth, axis = -1 }: { depth: number; axis?: number },
): RefTensor {
  const { shape } = indices!;
  const d = positive(axis, shape.length + 1);
  return build(values!.dataType, shape.toSpliced(d, 0, depth), (index) => {
    const hot = at(indices!, index.toSpliced(d, 1));
    return at(values!, [Number(index[d] === (hot < 0 ? hot + depth : hot))]);
  });
}

export const references = { triangular, tile, reverseSequence, oneHot };
