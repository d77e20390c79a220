import { build, type RefInputs, type RefTensor, spread } from './tensor.ts';

interface AttentionOptions {
  heads: number;
  kvHeads?: number;
  headSize: number;
  scale?: number;
  causal?: boolean;
  window?: number;
  softcap?: number;
  blindToZero?: boolean;
  columns?: readonly [number, number, number];
}

/**
 * softmax(query · keyᵀ * scale + bias) · value, head by head, the scores capped before the bias is added. Heads lie side by side in the columns of the rows; of a
 * tensor of four axes they are the second.
 */
export function attention({ query, key, value, positions, bias }: RefInputs, options: AttentionOptions): RefTensor {
  const {
    heads,
    kvHeads = heads,
    headSize,
    scale = 1 / Math.sqrt(headSize),
    causal = false,
    window = Number.POSITIVE_INFINITY,
    softcap,
    columns = [0, 0, 0],
  } = options;
  const [queries, keys] = [query!.shape.at(-2)!, key!.shape.at(-2)!];
  const offset = Math.max(0, keys - queries);
  const start = (tensor: RefTensor, batch: number, t: number, head: number, column: number): number => {
    const [count, width] = tensor.shape.slice(-2) as [number, number];
    if (tensor.shape.length === 4) return ((batch * tensor.shape[1]! + head) * count + t) * headSize;
    return (batch * count + t) * width + column + head * headSize;
  };
  const apart = query!.shape.length === 4;
  return build(
    query!.dataType,
    apart ? query!.shape : [...query!.shape.slice(0, -1), heads * headSize],
    (index) => {
      const [t, column] = index.slice(-2) as [number, number];
      const batch = index.length > 2 ? index[0]! : 0;
      const head = apart ? index[1]! : Math.floor(column / headSize);
      const kvHead = Math.floor((head * kvHeads) / heads);
      const position = positions ? positions.data[t]! : t + offset;
      const seen = causal ? Math.min(position + 1, keys) : keys;
      const scores: number[] = [];
      let largest = 0;
      const first = Math.max(0, seen - window);
      for (let j = first; j < seen; j++) {
        const q = start(query!, batch, t, head, columns[0]);
        const k = start(key!, batch, j, kvHead, columns[1]);
        let score = 0;
        let size = 0;
        for (let e = 0; e < headSize; e++) {
          score += query!.data[q + e]! * key!.data[k + e]! * scale;
          size += Math.abs(query!.data[q + e]! * key!.data[k + e]! * scale);
        }
        if (softcap) score = softcap * Math.tanh(score / softcap);
        scores.push(score + (bias ? spread(bias, [batch, head, t, j]) : 0));
        largest = Math.max(largest, size);
      }
      const top = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - top));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (options.blindToZero && top === Number.NEGATIVE_INFINITY) return { value: 0 };
      let result = 0;
      let mass = 0;
      weights.forEach((weight, j) => {
        const x = value!.data[start(value!, batch, first + j, kvHead, columns[2]) + (column % headSize)]!;
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
