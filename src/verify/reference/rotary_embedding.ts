import { at, build, moved, type RefInputs, type RefTensor } from './tensor.ts';

interface RotaryEmbeddingOptions {
  heads?: number;
  interleaved?: boolean;
  rotaryEmbeddingDim?: number;
  rotaryHeads?: number;
}

/** Pairs (x, y) of each head, turned by the angle of their position: (x cos - y sin, y cos + x sin). */
export function rotaryEmbedding({ input, cos, sin, positions }: RefInputs, options: RotaryEmbeddingOptions): RefTensor {
  const { shape } = input!;
  const apart = shape.length === 4;
  const headSize = apart ? shape[3]! : shape[2]! / options.heads!;
  const { interleaved = false, rotaryEmbeddingDim: size = headSize, rotaryHeads = Number.POSITIVE_INFINITY } = options;
  const half = size / 2;
  return build(
    input!.dataType,
    shape,
    (index) => {
      const column = index.at(-1)!;
      const d = column % headSize;
      const own = at(input!, index);
      const head = apart ? index[1]! : Math.floor(column / headSize);
      if (d >= size || head >= rotaryHeads) return own;
      const isFirst = interleaved ? d % 2 === 0 : d < half;
      const distance = (interleaved ? 1 : half) * (isFirst ? 1 : -1);
      const other = at(input!, moved(index, [index.length - 1], [column + distance]));
      const pair = interleaved ? Math.floor(d / 2) : d % half;
      const place = [index[0]!, index.at(-2)!];
      const inBatch = ({ shape: own }: RefTensor): number[] => (own[0] === 1 ? [0, place[1]!] : place);
      const angle = (table: RefTensor): number => {
        const last = table.shape.at(-1) === size ? d : pair;
        if (!positions) return at(table, [...inBatch(table), last]);
        const rows = table.shape[0]!;
        const named = at(positions, inBatch(positions));
        const row = Math.min(Math.max(named < 0 ? named + rows : named, 0), rows - 1);
        return at(table, [row, last]);
      };
      const terms = [own * angle(cos!), (isFirst ? -1 : 1) * other * angle(sin!)] as const;
      return { value: terms[0] + terms[1], mass: Math.abs(terms[0]) + Math.abs(terms[1]) };
    },
    2,
  );
}

interface RotaryCacheOptions {
  heads: number;
  kvHeads: number;
  epsilon?: number;
}

/**
 * Rows [queries, keys, values]: heads of the first two over their root mean square times a scale, where there are scales, and
 * turned. Keys and values replace the rows of the state that positions name; those beyond it are dropped.
 */
export function rotaryCache(inputs: RefInputs, { heads, kvHeads, epsilon = 1e-5 }: RotaryCacheOptions): RefTensor[] {
  const { state, input, cos, sin, positions, queryScale, keyScale } = inputs;
  const { dataType, shape } = state!;
  const headSize = shape[1]! / (2 * kvHeads);
  const [places, half] = cos!.shape as [number, number];
  const rows = input!.shape[0]!;
  const element = (row: number, head: number, d: number) => {
    const own = (i: number): number => at(input!, [row, head * headSize + i]);
    if (head >= heads + kvHeads) return { value: own(d), mass: 0 };
    const scale = head < heads ? queryScale : keyScale;
    const squares = Array.from({ length: headSize }, (_, i) => own(i) ** 2).reduce((sum, x) => sum + x, 0);
    const root = Math.sqrt(squares / headSize + epsilon);
    const normed = (i: number): number => (scale ? (own(i) / root) * scale.data[i]! : own(i));
    if (d >= 2 * half) return { value: normed(d), mass: scale ? Math.abs(normed(d)) : 0 };
    const place = Math.min(positions!.data[row]!, places - 1);
    const angle = place * half + (d % half);
    const terms = [
      normed(d) * cos!.data[angle]!,
      (d < half ? -normed(d + half) : normed(d - half)) * sin!.data[angle]!,
    ] as const;
    return { value: terms[0] + terms[1], mass: Math.abs(terms[0]) + Math.abs(terms[1]) };
  };
  const written = new Map(Array.from(positions!.data, (position, row) => [position, row]));
  const cache = build(
    dataType,
    shape,
    ([position, column]) => {
      const row = written.get(position!);
      const kept = position! * shape[1]! + column!;
      if (row === undefined) return { value: state!.data[kept]!, mass: state!.mass?.[kept] ?? 0 };
      return element(row, heads + Math.floor(column! / headSize), column! % headSize);
    },
    headSize,
  );
  const query = build(
    dataType,
    [rows, heads * headSize],
    ([row, column]) => element(row!, Math.floor(column! / headSize), column! % headSize),
    headSize,
  );
  return [cache, query];
}

export const references = { rotaryEmbedding, rotaryCache };
