import { build, type RefInputs, type RefTensor } from './tensor.ts';

interface AttentionOptions {
  heads: number;
  kvHeads?: number;
  headSize: number;
  scale?: number;
  causal?: boolean;
  columns?: readonly [number, number, number];
}

/** softmax(query · keyᵀ * scale) · value, head by head; heads lie side by side in the columns of the rows. */
export function attention({ query, key, value, positions }: RefInputs, options: AttentionOptions): RefTensor {
  const {
    heads,
    kvHeads = heads,
    headSize,
    scale = 1 / Math.sqrt(headSize),
    causal = false,
    columns = [0, 0, 0],
  } = options;
  const [queries, keys] = [query!.shape.at(-2)!, key!.shape.at(-2)!];
  const offset = Math.max(0, keys - queries);
  const row = (tensor: RefTensor, batch: number, t: number, column: number): number => {
    const [count, width] = tensor.shape.slice(-2) as [number, number];
    return (batch * count + t) * width + column;
  };
  return build(
    query!.dataType,
    [...query!.shape.slice(0, -1), heads * headSize],
    (index) => {
      const [t, column] = index.slice(-2) as [number, number];
      const batch = index.length === 3 ? index[0]! : 0;
      const head = Math.floor(column / headSize);
      const kvHead = Math.floor((head * kvHeads) / heads);
      const position = positions ? positions.data[t]! : t + offset;
      const seen = causal ? Math.min(position + 1, keys) : keys;
      const scores: number[] = [];
      let largest = 0;
      for (let j = 0; j < seen; j++) {
        const q = row(query!, batch, t, columns[0] + head * headSize);
        const k = row(key!, batch, j, columns[1] + kvHead * headSize);
        let score = 0;
        let size = 0;
        for (let e = 0; e < headSize; e++) {
          score += query!.data[q + e]! * key!.data[k + e]! * scale;
          size += Math.abs(query!.data[q + e]! * key!.data[k + e]! * scale);
        }
        scores.push(score);
        largest = Math.max(largest, size);
      }
      const top = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - top));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      let result = 0;
      let mass = 0;
      weights.forEach((weight, j) => {
        const x = value!.data[row(value!, batch, j, columns[2] + kvHead * headSize + (column % headSize))]!;
        result += (weight / total) * x;
        mass += Math.abs((weight / total) * x);
      });
      // An absolute error of a score is a relative error of its weight.
      return { value: result, mass: mass * (1 + 2 * largest) };
    },
    Math.max(keys, headSize),
  );
}

export const references = { attention };
