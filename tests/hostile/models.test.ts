import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { loadModel } from '../../src/models/index.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { fileOf } from '../formats/files.ts';
import { handResnet, safetensorsOf, type Values } from '../support/checkpoint.ts';
import { encodeGguf, llamaFields, llamaTensors } from '../support/gguf.ts';
import {
  Accepted,
  type Bytes,
  byteChange,
  campaign,
  changedJson,
  jsonChange,
  judged,
  mutated,
  type Tally,
} from '../support/mutations.ts';
import { byteLevelTokenizer } from '../text/byte-level.ts';

// The modules of this file are loaded anew, with arrays that are counted.
const allocations = await vi.hoisted(async () => {
  const { Allocations } = await import('../support/allocations.ts');
  vi.resetModules();
  return new Allocations();
});
afterAll(() => allocations.restore());

type Files = Readonly<Record<string, Bytes>>;

/** A device that is not there: who asks for it has accepted the files. */
const noDevice = new Proxy(
  {},
  {
    get: () => {
      throw new Accepted();
    },
  },
) as Gpu;

const open = async (files: Files): Promise<unknown> => openCheckpoint(await openFolder({ ...files }));
const load = async (files: Files): Promise<unknown> => loadModel(noDevice, await openFolder({ ...files }));

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const sizeOf = (files: Files): number => Object.values(files).reduce((sum, { length }) => sum + length, 0);

const judge =
  (work: (files: Files) => Promise<unknown>) =>
  (tally: Tally, files: Files): Promise<void> =>
    judged(tally, { bytes: sizeOf(files), allocations }, () => work(files));

/** A GPT-2 of one layer, whose vocabulary is that of `byteLevelTokenizer`. */
const [WIDTH, VOCABULARY] = [4, 258];
const tensors: Readonly<Record<string, Values>> = {
  'wte.weight': [[VOCABULARY, WIDTH], 0],
  'wpe.weight': [[8, WIDTH], 0],
  ...Object.fromEntries(
    ['h.0.ln_1', 'h.0.ln_2', 'ln_f'].flatMap((name) => [
      [`${name}.weight`, [[WIDTH], 1]],
      [`${name}.bias`, [[WIDTH], 0]],
    ]),
  ),
  ...Object.fromEntries(
    [
      ['h.0.attn.c_attn', WIDTH, 3 * WIDTH] as const,
      ['h.0.attn.c_proj', WIDTH, WIDTH] as const,
      ['h.0.mlp.c_fc', WIDTH, 4 * WIDTH] as const,
      ['h.0.mlp.c_proj', 4 * WIDTH, WIDTH] as const,
    ].flatMap(([name, rows, columns]) => [
      [`${name}.weight`, [[rows, columns], 0]],
      [`${name}.bias`, [[columns], 0]],
    ]),
  ),
};
const gpt2Config = {
  ...{
    model_type: 'gpt2',
    n_layer: 1,
    n_embd: WIDTH,
    n_head: 2,
    n_positions: 8,
    vocab_size: VOCABULARY,
    n_inner: null,
  },
  ...{ activation_function: 'gelu_new', layer_norm_epsilon: 1e-5, tie_word_embeddings: true, scale_attn_weights: true },
  ...{
    eos_token_id: VOCABULARY - 1,
    bos_token_id: VOCABULARY - 1,
    resid_pdrop: 0.1,
    architectures: ['GPT2LMHeadModel'],
  },
  task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
};
const generation = { eos_token_id: VOCABULARY - 1, do_sample: true, top_k: 40, temperature: 0.8, max_new_tokens: 20 };
const hand = handResnet([1, 2], [3, 4], { weight: [1, 2, 3, 4], bias: [0, 1] });
const resnet = { 'model.safetensors': safetensorsOf(hand) };
const resnetConfig = {
  ...{ architecture: 'resnet8_cifar10', num_classes: 2, hidden_act: 'relu', downsample_in_bottleneck: false },
  ...{ id2label: { 0: 'cat', 1: 'dog' }, label2id: { cat: 0, dog: 1 } },
  pretrained_cfg: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], input_size: [3, 32, 32], interpolation: 'bilinear' },
};
const gpt2 = { 'model.safetensors': safetensorsOf(tensors) };
const jsonFiles = {
  'config.json': gpt2Config,
  'tokenizer.json': byteLevelTokenizer([[104, 105]]),
  'generation_config.json': generation,
  'tokenizer_config.json': { eos_token: '<|end|>', add_prefix_space: false, added_tokens_decoder: {} },
};
const filesOf = (json: Readonly<Record<string, unknown>>): Files =>
  Object.fromEntries(Object.entries(json).map(([name, value]) => [name, bytesOf(JSON.stringify(value))]));

beforeAll(() => loadOps());

/** The files with some values of one changed, or in one of five its bytes; `others` lie beside them. */
function changedFiles(json: Readonly<Record<string, unknown>>, name: string, others: Files): fc.Arbitrary<Files> {
  const files = filesOf(json);
  const changes = { minLength: 1, maxLength: 3 };
  const byValue = fc.array(jsonChange, changes).map((each) => bytesOf(changedJson(json[name], each)));
  const byByte = fc.array(byteChange, changes).map((each) => mutated(files[name]!, each));
  return fc
    .oneof({ weight: 4, arbitrary: byValue }, { weight: 1, arbitrary: byByte })
    .map((file) => ({ ...others, ...files, [name]: file }));
}

describe('models of which a file was changed: accepted or an error of ours, within a second and ten times the bytes', () => {
  it('safetensors', async () => {
    const entries = {
      a: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
      'b.weight': { dtype: 'BF16', shape: [], data_offsets: [8, 10] },
      c: { dtype: 'U8', shape: [0, 7], data_offsets: [10, 10] },
    };
    const header = { __metadata__: { format: 'pt', by: 'hand' }, ...entries };
    const body = new Uint8Array(10);
    const changes = { minLength: 1, maxLength: 3 };
    const files = fc.oneof(
      fc.array(byteChange, changes).map((each) => mutated(fileOf(header, body), each)),
      fc.array(jsonChange, changes).map((each) => fileOf(changedJson(header, each), body)),
    );
    await campaign(
      'safetensors',
      50_000,
      files.map((file) => ({ 'model.safetensors': file })),
      judge(open),
    );
  }, 120_000);

  it('model.safetensors.index.json', async () => {
    const INDEX = 'model.safetensors.index.json';
    const [first, second] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = { metadata: { total_size: 3 }, weight_map: { a: first, b: first, c: second } };
    const shard = (...names: string[]): Bytes =>
      encodeSafetensors(names.map((name) => ({ name, storedType: 'U8', shape: [1], bytes: new Uint8Array(1) })));
    const shards = { [first]: shard('a', 'b'), [second]: shard('c') };
    await campaign('index.json', 12_000, changedFiles({ [INDEX]: index }, INDEX, shards), judge(open));
  }, 120_000);

  it.each([
    ['config.json', 8000],
    ['tokenizer.json', 8000],
    ['tokenizer_config.json', 3000],
    ['generation_config.json', 3000],
  ] as const)(
    '%s of a GPT-2',
    async (name, runs) => {
      await expect(load({ ...filesOf(jsonFiles), ...gpt2 })).rejects.toBeInstanceOf(Accepted);
      await campaign(`${name} of a GPT-2`, runs, changedFiles(jsonFiles, name, gpt2), judge(load));
    },
    120_000,
  );

  it('gguf', async () => {
    const floats = llamaTensors((_, shape) => ({ type: 0, bytes: new Uint8Array(4 * elementCount(shape)) }));
    const file = encodeGguf(llamaFields(), floats);
    await expect(load({ 'model.gguf': file })).rejects.toBeInstanceOf(Accepted);
    const blocks = [
      { name: 'a', type: 2, shape: [3, 32], bytes: new Uint8Array(54) },
      { name: 'b', type: 14, shape: [1, 512], bytes: new Uint8Array(420) },
    ];
    const changes = fc.array(byteChange, { minLength: 1, maxLength: 3 });
    const headers = fc.oneof(
      changes.map((each) => mutated(encodeGguf([['some', 9, [1, 2], 4]], blocks), each)),
      changes.map((each) => mutated(encodeGguf(llamaFields(), []), each)),
    );
    const of = (file: Bytes): Files => ({ 'model.gguf': file });
    await campaign('the header of a GGUF file', 6000, headers.map(of), judge(open));
    // Most bytes of the file are numbers, which may be any: only what stands before them is changed.
    const before = file.length - floats.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 32) * 32, 0);
    const head = changes.map(
      (each) => new Uint8Array([...mutated(file.slice(0, before), each), ...file.slice(before)]),
    );
    // Tables of angles are made for the context, not for the file.
    const short = async (files: Files) => loadModel(noDevice, await openFolder({ ...files }), { context: 8 });
    await campaign('a GGUF file of a Llama', 1500, head.map(of), judge(short));
    const numbers = [0, 1, 2, 3, 8, 255, 65_536, 2 ** 31, 2 ** 32 - 1];
    const texts = ['', 'x', '__proto__', 'gpt2', 'llama', 'phi3', 'gemma3', 'x'.repeat(5000)];
    const fieldChange = fc.record({
      at: fc.nat(llamaFields().length - 1),
      number: fc.constantFrom(...numbers),
      text: fc.constantFrom(...texts),
      drop: fc.boolean(),
    });
    const changed = fc.array(fieldChange, { minLength: 1, maxLength: 2 }).map((each) => {
      const fields = llamaFields();
      for (const { at, number, text, drop } of each) {
        const [key, type, value, of] = fields[at % fields.length]!;
        if (drop) fields.splice(at % fields.length, 1);
        else if (of === undefined) fields[at % fields.length] = [key, type, type === 8 ? text : number];
        else
          fields[at % fields.length] = [
            key,
            type,
            (value as unknown[]).map((own, i) => (i % 3 ? own : of === 8 ? text : number % 2 ** 31)),
            of,
          ];
      }
      return of(encodeGguf(fields, floats));
    });
    await campaign('fields of a GGUF file of a Llama', 2500, changed, judge(short));
  }, 120_000);

  it('config.json of a ResNet', async () => {
    const files = { 'config.json': resnetConfig };
    await expect(load({ ...filesOf(files), ...resnet })).rejects.toBeInstanceOf(Accepted);
    await campaign('config.json of a ResNet', 4000, changedFiles(files, 'config.json', resnet), judge(load));
  }, 120_000);
});
