import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openFolder, readJson } from '../../src/hub/folder.ts';
import { openPath } from '../../src/hub/path.ts';
import { familyModule } from '../../src/models/families/index.ts';
import { openModel } from '../../src/models/index.ts';
import { fromHalf } from '../../src/tensor/half.ts';
import type { TensorSource } from '../../src/tensor/source.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { bytesOf } from '../formats/files.ts';
import { repositoryFolder } from '../support/files.ts';

const MODELS = ['llama', 'llama-mqa', 'mistral', 'qwen2', 'qwen3', 'gemma', 'gemma2', 'gemma3', 'phi3'];
const gguf = (name: string) => openPath(repositoryFolder(`tests/fixtures/gguf/${name}.gguf`));

/** The numbers of a tensor, in float32. */
async function numbers(tensor: TensorSource): Promise<number[]> {
  const { buffer } = await bytesOf(tensor.chunks());
  if (tensor.storedType === 'F16') return Array.from(new Uint16Array(buffer), fromHalf);
  if (tensor.storedType === 'BF16')
    return [...new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer)];
  return [...new Float32Array(buffer)];
}

describe.each(MODELS)('%s.gguf beside the folder that it was made from', (name) => {
  it('has its tensors', async () => {
    const { checkpoint } = await openModel(await gguf(name));
    const folder = await openModel(await openPath(repositoryFolder(`tests/fixtures/decoders/${name}`)));
    const own = [...folder.checkpoint.tensors.keys()].filter(
      (key) => checkpoint.tensors.has('lm_head.weight') || key !== 'lm_head.weight',
    );
    expect([...checkpoint.tensors.keys()].sort()).toEqual(own.sort());
    // gemma2's and gemma3's scale of queries is a factor of weights.
    const scaled = { gemma2: /q_proj/, gemma3: /q_norm/ }[name] ?? /^$/;
    for (const key of own.filter((key) => !scaled.test(key))) {
      const [got, wanted] = [checkpoint.tensors.get(key)!, folder.checkpoint.tensors.get(key)!];
      expect(got.shape, key).toEqual(wanted.shape);
      const expected = await numbers(wanted);
      const less = name.startsWith('gemma') && key.endsWith('norm.weight');
      if (!less) expect(await numbers(got), key).toEqual(expected);
      // 1 was added in float32, which rounds to 2^-24 of what is below 2.
      else
        (await numbers(got)).forEach(
          (x, i) =>
            void expect(Math.abs(x - expected[i]!)).toBeLessThan(2 ** -23 * Math.max(1, Math.abs(expected[i]!))),
        );
    }
  });

  it('has its sizes and, but for what a GGUF file does not say, its config', async () => {
    const [file, folder] = await Promise.all([
      gguf(name).then((one) => openModel(one)),
      openPath(repositoryFolder(`tests/fixtures/decoders/${name}`)).then((one) => openModel(one)),
    ]);
    const shapes = await Promise.all(
      [file, folder].map(async (files) => (await familyModule(files)).family(files, {}).shape),
    );
    expect(shapes[0]).toEqual(shapes[1]);
    for (const key of [
      'rms_norm_eps',
      'sliding_window',
      'tie_word_embeddings',
      'layer_types',
      'final_logit_softcapping',
    ]) {
      if (file.config![key] === undefined || name === 'qwen2') continue;
      const [got, wanted] = [file.config![key], folder.config![key]];
      if (typeof got === 'number') expect(got, key).toBeCloseTo(wanted as number, 7);
      else expect(got, key).toEqual(wanted);
    }
  });
});

describe('what is beside the tensors', () => {
  it('SentencePiece: words by scores, bytes of what the vocabulary lacks, tokens at both ends', async () => {
    const { folder, config } = await openModel(await gguf('llama'));
    const tokenizer = await loadTokenizer(
      await readJson(folder, 'tokenizer.json'),
      await readJson(folder, 'tokenizer_config.json'),
    );
    const words = [
      '<unk>',
      '<s>',
      '</s>',
      '<0x0A>',
      '<0x21>',
      '\u2581',
      ...'abcdefghijklmnopqrstuvwxyz',
      'he',
      'll',
      '\u2581he',
      'llo',
      'hell',
      '\u2581hello',
      '<|end|>',
    ];
    const ids = (...tokens: string[]) => tokens.map((token) => words.indexOf(token));
    // "he" and "ll" have the best scores, then "\u2581he" is better than "hell".
    expect(tokenizer.encode('hello')).toEqual(ids('<s>', '\u2581hello'));
    expect(tokenizer.encode('shell')).toEqual(ids('<s>', '\u2581', 's', 'hell'));
    expect(tokenizer.encode('a\n!')).toEqual(ids('<s>', '\u2581', 'a', '<0x0A>', '<0x21>'));
    expect(tokenizer.encode('b<|end|>')).toEqual(ids('<s>', '\u2581', 'b', '<|end|>'));
    expect(tokenizer.decode(ids('\u2581hello', '\u2581', 'a', '<0x0A>'))).toBe('hello a\n');
    expect(tokenizer.eosTokenId).toBe(2);
    expect(config).toMatchObject({ bos_token_id: 1, eos_token_id: [2] });
    expect(await readJson(folder, 'tokenizer_config.json')).toMatchObject({
      chat_template: expect.stringContaining('for message in messages'),
    });
  });

  it('a file is found by its first bytes, and a folder whose only weights it is', async () => {
    const bytes = await readFile(repositoryFolder('tests/fixtures/gguf/llama.gguf'));
    for (const source of [
      new Uint8Array(bytes),
      new Blob([bytes]),
      { 'some.gguf': new Uint8Array(bytes), 'README.md': new Uint8Array(1) },
    ])
      expect((await openModel(await openFolder(source))).config).toMatchObject({ model_type: 'llama' });
  });
});
