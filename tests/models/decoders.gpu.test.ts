import { describe, expect, it } from 'vitest';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';
import { outsideFolder } from '../support/shared.ts';

/** What tools/make_decoder_fixtures.py writes beside the weights. */
interface Reference {
  ids: number[];
  positions: number[];
  variants: Record<string, Variant>;
}
interface Variant {
  config: object;
  context?: number;
  greedy: { prompt: number[]; tokens: number[]; gaps: number[] };
}

const MODELS = [
  'llama',
  'llama-shards',
  'llama-mqa',
  'mistral',
  'qwen2',
  'qwen3',
  'qwen3-bias',
  'smollm3',
  'gemma',
  'gemma2',
  'gemma3',
  'phi3',
  'gpt-neox',
  'gpt-neox-unbiased',
  'olmo2',
  'granite',
];

/** The Llama that ships. */
const SHIPPED = 'weights/llama-shakespeare';

/** A fixture by its name; the model that ships; a folder outside of the repository by its path. */
function folderOf(name: string): string {
  if (name === SHIPPED) return repositoryFolder(name);
  return name.includes('/') ? outsideFolder(name) : repositoryFolder(`tests/fixtures/decoders/${name}`);
}
const json = async <T>(file: string): Promise<T> => JSON.parse(new TextDecoder().decode(await readAnywhere(file))) as T;

/** The files of a folder that is one file of weights, with fields of the config said otherwise. */
async function filesOf(folder: string, config: object): Promise<Record<string, Uint8Array>> {
  const own = await json<object>(`${folder}/config.json`);
  return {
    'model.safetensors': await readAnywhere(`${folder}/model.safetensors`),
    'config.json': new TextEncoder().encode(JSON.stringify({ ...own, ...config })),
  };
}

async function load(name: string, { config, context }: Pick<Variant, 'config' | 'context'>): Promise<TextGenerator> {
  const folder = folderOf(name);
  const source = Object.keys(config).length ? await filesOf(folder, config) : folder;
  return (await (await testEngine()).load(source, { ...(context && { context }) })) as TextGenerator;
}

/** Logits of all tokens, in chunks of `size`: the cache of one chunk is that of the next. */
async function logitsInChunks(model: TextGenerator, ids: readonly number[], size: number): Promise<Float32Array> {
  using session = await model.buildOn((await testEngine()).gpu, model.graph(size, 'all'));
  const { vocabulary } = model.shape;
  const all = new Float32Array(ids.length * vocabulary);
  for (let start = 0; start < ids.length; start += size) {
    const tokens = Uint32Array.from({ length: size }, (_, i) => ids[start + i] ?? 0);
    const { logits } = await session.run({ tokens, positions: tokens.map((_, i) => start + i) });
    const count = Math.min(size, ids.length - start);
    all.set((logits as Float32Array).subarray(0, count * vocabulary), start * vocabulary);
  }
  return all;
}

/** Logits within 5e-5 of transformers', normwise; greedy tokens equal, unless the top two were nearly so. Weights lie beside the answers, or in `weights`. */
async function agrees(name: string, title: string, weights = name): Promise<void> {
  const folder = folderOf(name);
  const { ids, positions, variants } = await json<Reference>(`${folder}/reference.json`);
  const variant = variants[title]!;
  const expected = (await parseTensors(await readAnywhere(`${folder}/reference.safetensors`))).get(title)!.data;
  using model = await load(weights, variant);
  const { vocabulary } = model.shape;
  const at = (all: Float32Array): Float32Array =>
    Float32Array.from(expected, (_, i) => all[positions[Math.floor(i / vocabulary)]! * vocabulary + (i % vocabulary)]!);
  const error = normwise(at(await model.logits(ids)), expected);
  const { prompt, tokens: wanted, gaps } = variant.greedy;
  const tokens: number[] = [];
  const how = { temperature: 0, maxNewTokens: wanted.length, stopTokens: [], stopStrings: [] };
  for await (const { token } of model.generate(prompt, how)) tokens.push(token);
  const parting = tokens.findIndex((token, i) => token !== wanted[i]);
  console.log(
    `${name} ${title}: logits ${error.toExponential(1)} off, ${parting < 0 ? tokens.length : parting} of ${wanted.length} greedy tokens equal`,
  );
  expect(error).toBeLessThan(5e-5);
  expect(tokens).toHaveLength(wanted.length);
  if (parting >= 0) expect(gaps[parting]).toBeLessThan(1e-4);
}

describe.each(MODELS)('%s against transformers', (name) => {
  it('logits and greedy tokens, under each variant of its config', async () => {
    const { variants } = await json<Reference>(`${folderOf(name)}/reference.json`);
    for (const title of Object.keys(variants)) await agrees(name, title);
  });
});

it('the Llama that ships against transformers', () => agrees('llama-shakespeare', 'plain', SHIPPED));

describe('prompts in chunks', () => {
  it.each(['llama', 'gemma2', 'qwen3', 'mistral'])(
    '%s gives the same for 1, 7, 64 and all tokens at once',
    async (name) => {
      const { ids, variants } = await json<Reference>(`${folderOf(name)}/reference.json`);
      const long = [...ids, ...variants['plain']!.greedy.tokens].slice(0, 90);
      using model = await load(name, { config: {} });
      const whole = await logitsInChunks(model, long, long.length);
      for (const size of [1, 7, 64])
        expect(normwise(await logitsInChunks(model, long, size), whole)).toBeLessThan(1e-5);
      expect(normwise(await model.logits(long), whole)).toBeLessThan(1e-5);
    },
  );
});

// Its file is 230 MB: made by tools/make_decoder_fixtures.py --large, and named by its path.
const large = import.meta.env['TILEWRIGHT_DECODER'] as string | undefined;
if (large) it('113 M parameters against transformers', () => agrees(large, 'plain'), 1_800_000);
