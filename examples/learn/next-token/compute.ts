import { GraphBuilder, type TextGenerator } from '../../../src/index.ts';

/** The probabilities of a GPT for a text of up to `count` tokens: the likeliest next ones, and of each token that is there. */
export async function openPredictions(model: TextGenerator, count: number, best: number) {
  const b = new GraphBuilder();
  const logits = model.graph(count, 'all').outputs['logits']!; // [count, vocabulary]
  const temperature = b.input('temperature', { dataType: 'float32', shape: [1] });
  const last = b.input('last', { dataType: 'uint32', shape: [1] });
  const following = b.input('following', { dataType: 'int32', shape: [count, 1] });

  const next = b.softmax(b.div(b.gather(logits, last), temperature), 1); // [1, vocabulary]
  const [likely, tokens] = b.topK(next, best);
  const came = b.gatherElements(b.softmax(logits, 1), following, { axis: 1 }); // [count, 1]

  const session = await model.build(b.outputs({ likely, tokens, came, next }));
  return async (ids: readonly number[], temperature: number) => {
    const positions = Uint32Array.from({ length: count }, (_, i) => i);
    const found = await session.run({
      tokens: positions.map((i) => ids[i] ?? 0),
      positions,
      temperature: [temperature],
      last: [ids.length - 1],
      following: Int32Array.from(positions, (i) => ids[i + 1] ?? 0),
    });
    return {
      likely: found['likely'] as Float32Array,
      tokens: found['tokens'] as Int32Array,
      came: found['came'] as Float32Array, // place i: of the token at i + 1
      next: found['next'] as Float32Array,
    };
  };
}
