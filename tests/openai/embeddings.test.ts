import { expect, it } from 'vitest';
import { OpenAI } from '../../src/openai/index.ts';
import { saying } from './answering.ts';

const vectors = [Float32Array.of(0.5, -1.25, 3), Float32Array.of(1e-8, 2, -7)];
const asked: { texts: readonly string[]; options: unknown }[] = [];
const client = new OpenAI({
  v: {
    embed: async (texts, options) => {
      asked.push({ texts, options });
      return { vectors: vectors.slice(0, texts.length), tokens: 7 };
    },
  },
  m: saying(['a']),
});

it('vectors of one text or of several, counted', async () => {
  const answer = await client.embeddings.create({ model: 'v', input: ['a', 'b'], dimensions: 3, user: 'me' });
  expect(answer).toEqual({
    object: 'list',
    model: 'v',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: Array.from(vector) })),
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
  expect(asked.at(-1)).toEqual({ texts: ['a', 'b'], options: { dimensions: 3 } });
  expect((await client.embeddings.create({ model: 'v', input: 'a' })).data).toHaveLength(1);
});

it('base64 has their float32, as clients ask by themselves', async () => {
  const { data } = await client.embeddings.create({ model: 'v', input: ['a', 'b'], encoding_format: 'base64' });
  const bytes = Uint8Array.from(atob(data[1]!.embedding as string), (one) => one.charCodeAt(0));
  expect(new Float32Array(bytes.buffer)).toEqual(vectors[1]);
});

it('what is not done is refused by its name, and a model of another task too', async () => {
  await expect(client.embeddings.create({ model: 'v', input: [[1, 2]] })).rejects.toThrow(/embeddings: input/);
  await expect(client.embeddings.create({ model: 'v' })).rejects.toThrow(/embeddings: input/);
  await expect(client.embeddings.create({ model: 'v', input: 'a', truncate: true })).rejects.toThrow(/truncate/);
  await expect(client.embeddings.create({ model: 'v', input: 'a', encoding_format: 'hex' })).rejects.toThrow(/hex/);
  await expect(client.embeddings.create({ model: 'm', input: 'a' })).rejects.toThrow(/gives no vectors/);
  const chat = { model: 'v', messages: [{ role: 'user', content: 'a' }] };
  await expect(client.chat.completions.create(chat)).rejects.toThrow(/writes no text/);
});
