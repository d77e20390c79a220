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

export const references = { rotaryEmbedding };
