import { GraphBuilder, type Operand, type TextGenerator, topological } from '../../../src/index.ts';

/** What every head of every layer of a GPT looks at, for a text of up to `count` tokens. */
export async function openHeads(model: TextGenerator, count: number) {
  const { layers, heads, width } = model.shape;
  const size = width / heads;
  const b = new GraphBuilder();
  const numbers = (shape: number[], value: (i: number) => number): Operand =>
    b.constant(
      { dataType: 'float32', shape },
      Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, (_, i) => value(i)),
    );
  const scale = numbers([1], () => 1 / Math.sqrt(size));
  // Nobody sees what comes later: e to the power of -1e9 is nothing.
  const later = numbers([count, count], (i) => (i % count > Math.floor(i / count) ? -1e9 : 0));

  const nodes = topological(model.graph(count, 'all'));
  const outputs = Array.from({ length: layers }, (_, layer) => {
    // [count, 3 × width]: queries, keys and values of all heads side by side.
    const packed = nodes.findLast(({ label }) => label === `h.${layer}.attn.c_attn`)!;
    const [queries, keys] = b
      .split(packed, 3, { axis: 1 })
      .map((part) => b.transpose(b.reshape(part, [count, heads, size]), { permutation: [1, 0, 2] })) as [
      Operand,
      Operand,
    ];
    const scores = b.matmul(queries, b.transpose(keys, { permutation: [0, 2, 1] }));
    return [layer, b.softmax(b.add(b.mul(scores, scale), later), 2)] as const;
  });

  const session = await model.build(b.outputs(Object.fromEntries(outputs)));
  return async (ids: readonly number[]): Promise<Float32Array[]> => {
    const positions = Uint32Array.from({ length: count }, (_, i) => i);
    const found = await session.run({ tokens: positions.map((i) => ids[i] ?? 0), positions });
    return outputs.map(([layer]) => found[layer] as Float32Array); // of each layer [heads, count, count]
  };
}
