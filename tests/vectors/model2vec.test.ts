import { describe, expect, it } from 'vitest';
import { encodeSafetensors, type TensorToWrite } from '../../src/formats/safetensors-write.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { readModel2Vec } from '../../src/vectors/words/model2vec.ts';
import { codeOf } from '../support/errors.ts';

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const floats = (name: string, shape: number[], values?: number[]): TensorToWrite => ({
  name,
  storedType: 'F32',
  shape,
  bytes: new Uint8Array(Float32Array.from(values ?? new Array(shape.reduce((a, b) => a * b)).fill(1)).buffer),
});

const CONFIG = { model_type: 'model2vec', normalize: false };
const TOKENIZER = {
  model: { type: 'WordLevel', vocab: { '[UNK]': 0, a: 1, b: 2 }, unk_token: '[UNK]' },
  added_tokens: [],
  pre_tokenizer: { type: 'Whitespace' },
};

const read = async (
  tensors: TensorToWrite[],
  { config = CONFIG as unknown, tokenizer = TOKENIZER as unknown } = {},
) => {
  const files = {
    ...(config !== null && { 'config.json': bytesOf(config) }),
    ...(tokenizer !== null && { 'tokenizer.json': bytesOf(tokenizer) }),
    'model.safetensors': encodeSafetensors(tensors),
  };
  return readModel2Vec(await openFolder(files), 'float32', undefined);
};

describe('a folder of model2vec', () => {
  it('gives rows times their weights, and what is left out of texts', async () => {
    const { ids, table, texts } = await read([
      floats('embeddings', [3, 2], [1, 2, 3, 4, 5, 6]),
      floats('weights', [3], [1, 0.5, 2]),
    ]);
    expect(Object.fromEntries(ids)).toEqual({ '[UNK]': 0, a: 1, b: 2 });
    expect(table.values).toEqual(Float32Array.of(1, 2, 1.5, 2, 10, 12));
    expect(texts).toMatchObject({ without: 0, normalize: false });
    expect(texts!.tokenizer.encode('a b c')).toEqual([1, 2, 0]);
  });

  const embeddings = floats('embeddings', [3, 2]);
  it.each<[string, string, TensorToWrite[], object?]>([
    ['not-found', 'no config.json', [embeddings], { config: null }],
    ['not-found', 'no tokenizer.json', [embeddings], { tokenizer: null }],
    ['unsupported-option', 'another model', [embeddings], { config: { model_type: 'bert' } }],
    ['unsupported-option', 'no model', [embeddings], { config: {} }],
    ['unsupported-option', 'another normalize', [embeddings], { config: { ...CONFIG, normalize: 'l1' } }],
    ['invalid-file', 'no tokenizer', [embeddings], { tokenizer: {} }],
    ['missing-tensor', 'no embeddings', [floats('weights', [3])]],
    ['unused-tensor', 'a mapping', [embeddings, floats('mapping', [3])]],
    ['wrong-shape', 'a vector', [floats('embeddings', [3])]],
    ['wrong-shape', 'more rows than tokens', [floats('embeddings', [4, 2])]],
    ['invalid-file', 'fewer rows than tokens', [floats('embeddings', [2, 2])]],
    ['wrong-shape', 'other weights', [embeddings, floats('weights', [2])]],
    ['wrong-type', 'integers', [{ name: 'embeddings', storedType: 'I32', shape: [3, 2], bytes: new Uint8Array(24) }]],
    ['invalid-file', 'NaN', [floats('embeddings', [3, 2], [1, 2, 3, 4, 5, Number.NaN])]],
  ])('%s: %s', async (code, _, tensors, files = {}) => {
    expect(await codeOf(read(tensors, files))).toBe(code);
  });
});
