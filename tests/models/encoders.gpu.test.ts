import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine.ts';
import type { Embedder, MaskFiller, QuestionAnswerer, Tagger, TextClassifier } from '../../src/index.ts';
import type { EncoderFolderModel } from '../../src/models/encoder/index.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

/** What tools/make_encoder_fixtures.py writes beside the weights. */
interface Reference {
  texts: string[];
  ids: number[][];
  lengths: number[];
  pairs?: [string, string][];
  offsets?: [number, number][];
  spans?: [number, number][][];
  top?: [number[], number[]][];
}

const folderOf = (name: string): string => repositoryFolder(`tests/fixtures/encoders/${name}`);
const load = async <T extends Model = EncoderFolderModel>(name: string): Promise<T> =>
  (await (await testEngine()).load(folderOf(name))) as T;

async function referenceOf(name: string): Promise<Reference & { tensors: Map<string, { data: Float32Array }> }> {
  const read = async (file: string) => readAnywhere(`${folderOf(name)}/${file}`);
  const tensors = await parseTensors(await read('reference.safetensors'));
  return { ...JSON.parse(new TextDecoder().decode(await read('reference.json'))), tensors };
}

const joined = (rows: readonly Float32Array[]): Float32Array => Float32Array.from(rows.flatMap((row) => [...row]));

const TASKS = {
  'feature-extraction': [
    'bert',
    'bert-sentences',
    'roberta',
    'roberta-sentences',
    'distilbert',
    'mpnet-sentences',
    'electra',
    'modernbert',
  ],
  'text-classification': [
    'bert-classifier',
    'bert-reranker',
    'roberta-classifier',
    'distilbert-classifier',
    'mpnet-classifier',
    'electra-classifier',
    'modernbert-classifier',
  ],
  'token-classification': ['bert-tagger', 'xlm-roberta-tagger', 'modernbert-tagger'],
  'question-answering': ['bert-answerer', 'camembert-answerer', 'distilbert-answerer'],
  'fill-mask': ['bert-mask', 'roberta-mask', 'distilbert-mask', 'mpnet-mask', 'electra-mask', 'modernbert-mask'],
} as const;
const ALL = Object.entries(TASKS).flatMap(([task, names]) => names.map((name) => [name, task] as const));

describe.each(ALL)('%s against transformers', (name, task) => {
  it(`is for ${task}; ids are equal, hidden rows in padded batches within 5e-5`, async () => {
    const { texts, pairs, ids, tensors } = await referenceOf(name);
    using model = await load(name);
    expect(model.task).toBe(task);
    const given = pairs?.map(([text, pair]) => ({ text, pair })) ?? texts;
    const { tokenizer } = model;
    const bare = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false });
    expect(
      given.map((one) =>
        typeof one === 'string' ? tokenizer.encode(one) : tokenizer.frame(bare(one.text), bare(one.pair)).ids,
      ),
    ).toEqual(ids);
    const rows = await model.hiddenStates(given);
    expect(normwise(joined(rows), tensors.get('hidden')!.data)).toBeLessThan(5e-5);
    const alone: Float32Array[] = [];
    for (const one of given) alone.push((await model.hiddenStates([one]))[0]!);
    for (const [i, row] of alone.entries()) expect(normwise(rows[i]!, row), `text ${i}`).toBeLessThan(1e-5);
  });
});

it("files of TensorFlow's time call the weights of a LayerNorm gamma and beta", async () => {
  const read = (file: string): Promise<Uint8Array> => readAnywhere(`${folderOf('bert')}/${file}`);
  const bytes = await read('model.safetensors');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const older = new TextEncoder().encode(
    header.replaceAll('LayerNorm.weight', 'LayerNorm.gamma').replaceAll('LayerNorm.bias', 'LayerNorm.beta'),
  );
  const file = new Uint8Array(8 + older.length + bytes.length - 8 - length);
  new DataView(file.buffer).setUint32(0, older.length, true);
  file.set(older, 8);
  file.set(bytes.subarray(8 + length), 8 + older.length);
  const files = { 'model.safetensors': file, 'config.json': await read('config.json') };
  const engine = await testEngine();
  const tokenizer = { 'tokenizer.json': await read('tokenizer.json') };
  using model = (await engine.load({ ...files, ...tokenizer })) as EncoderFolderModel;
  using same = await load('bert');
  expect(await model.hiddenStates(['The cat.'])).toEqual(await same.hiddenStates(['The cat.']));
  using textless = (await engine.load(files)) as EncoderFolderModel;
  await expect(textless.hiddenStates(['The cat.'])).rejects.toThrow(/no tokenizer.json/);
  await expect(engine.load(folderOf('bert-mask'), { task: 'image-classification' })).rejects.toThrow(
    /task: expected feature-extraction or .*, got "image-classification"/,
  );
});

it.each([
  { name: 'bert', beside: 4 }, // the table, positions, their normalisation; the pooling
  { name: 'distilbert', beside: 4 },
  { name: 'mpnet-sentences', beside: 8 }, // terms of distances with the mask; a vector's length, its bound, the quotient
])('$name takes 7 dispatches a layer and $beside beside', async ({ name, beside }) => {
  using model = await load(name);
  const { steps } = await model.plan(model.graph(4, 32));
  expect(steps).toHaveLength(7 * model.shape.layers + beside);
});

describe('vectors of sentence-transformers', () => {
  it.each(['bert-sentences', 'roberta-sentences', 'mpnet-sentences'])('%s, with and without prompts', async (name) => {
    const { texts, tensors } = await referenceOf(name);
    using model = await load<Embedder>(name);
    for (const [title, { data }] of tensors) {
      if (!title.startsWith('vectors')) continue;
      const [, promptName] = title.split('.');
      const { vectors, truncated } = await model.embed(texts, promptName ? { promptName } : {});
      expect(normwise(joined(vectors), data), title).toBeLessThan(1e-5);
      expect(truncated).toEqual([]);
      expect(vectors[0]).toHaveLength(model.dimensions);
    }
  });

  it('are of length 1 where the folder says so, and also where they are shortened', async () => {
    using model = await load<Embedder>('mpnet-sentences');
    expect(model.normalized).toBe(true);
    const { vectors } = await model.embed(['The cat.', 'A dog.'], { dimensions: 7 });
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    const whole = await model.embed('The cat.');
    const ratio = whole.vectors[0]!.slice(0, 7).map((x, i) => x / vectors[0]![i]!);
    for (const one of ratio) expect(one).toBeCloseTo(ratio[0]!, 4);
  });

  it('any encoder gives the mean of its rows, without its head where that is asked for', async () => {
    const { texts, lengths, tensors } = await referenceOf('bert-classifier');
    using model = (await (
      await testEngine()
    ).load(folderOf('bert-classifier'), {
      task: 'feature-extraction',
    })) as Embedder;
    const { vectors, tokens } = await model.embed(texts);
    expect(tokens).toBe(lengths.reduce((a, b) => a + b));
    const { data } = tensors.get('hidden')!;
    let from = 0;
    for (const [i, length] of lengths.entries()) {
      const mean = Float32Array.from({ length: 20 }, (_, column) => {
        let sum = 0;
        for (let row = 0; row < length; row++) sum += data[(from + row) * 20 + column]!;
        return sum / length;
      });
      from += length;
      expect(normwise(vectors[i]!, mean)).toBeLessThan(1e-5);
    }
  });

  it.each([
    { dtype: 'float16', within: 3e-3 },
    { dtype: 'int8', within: 3e-2 },
  ] as const)('$dtype: a whole model is near float32, and its report says how near its layers are', async (how) => {
    const { texts, tensors } = await referenceOf('bert-sentences');
    const engine = await testEngine();
    using model = (await engine.load(folderOf('bert-sentences'), { dtype: how.dtype })) as Embedder;
    expect(model.info.dtype).toBe(how.dtype);
    const { vectors } = await model.embed(texts);
    expect(normwise(joined(vectors), tensors.get('vectors')!.data)).toBeLessThan(how.within);
    const { layers, samples } = await model.report([texts[2]!]);
    expect(samples).toBe(1);
    expect(layers.length).toBeGreaterThan(8);
    for (const { name, weightError, outputError } of layers) {
      expect(weightError!.relative, name).toBeLessThan(0.02);
      expect(outputError!.relative, name).toBeLessThan(0.05);
    }
  });

  it('a text that is too long is an error, or is cut and said', async () => {
    using model = await load<Embedder>('bert-sentences');
    expect(model.context).toBe(64);
    const long = 'cat '.repeat(80);
    await expect(model.embed(['a', long])).rejects.toThrow(/text 1 has 82 tokens, the model reads at most 64/);
    const { vectors, truncated, tokens } = await model.embed(['a', long], { truncate: true });
    expect(truncated).toEqual([1]);
    expect(tokens).toBe(64 + 3);
    const cut = await model.embed(['cat '.repeat(62)]);
    expect(normwise(vectors[1]!, cut.vectors[0]!)).toBeLessThan(1e-5);
    await expect(model.embed([])).rejects.toThrow(/expected at least one text, got none/);
    await expect(model.embed('a', { promptName: 'passage' })).rejects.toThrow(
      /no prompt 'passage': it has (query, document|document, query)/,
    );
    await expect(model.embed('a', { dimensions: 10 })).rejects.toThrow(/dimensions/);
    await expect(model.embed(['a'], { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
  });
});

describe('heads against transformers', () => {
  it.each(TASKS['text-classification'])('%s', async (name) => {
    const { texts, pairs, tensors } = await referenceOf(name);
    using model = await load<TextClassifier>(name);
    const given = pairs?.map(([text, pair]) => ({ text, pair })) ?? texts;
    const { data } = tensors.get('logits')!;
    const logits = await model.logits(given);
    expect(normwise(joined(logits), data)).toBeLessThan(5e-5);
    const labels = await model.classify(given);
    for (const [i, row] of labels.entries()) {
      const own = logits[i]!;
      expect(row.map(({ index }) => own[index]!)).toEqual([...own].sort((a, b) => b - a));
      const sum = row.reduce((all, { score }) => all + score, 0);
      if (name === 'roberta-classifier' || row.length === 1)
        for (const { index, score } of row) expect(score).toBeCloseTo(1 / (1 + Math.exp(-own[index]!)), 5);
      else expect(sum).toBeCloseTo(1, 5);
    }
    if (name === 'bert-classifier') {
      expect(model.labels).toEqual(['sad', 'glad', 'neither']);
      const [best, ...others] = await model.classify(texts[0]!, { topK: 1 });
      expect(best).toEqual({ ...labels[0]![0], score: expect.closeTo(labels[0]![0]!.score, 5) });
      expect(others).toEqual([]);
    }
  });

  it('a reranker orders documents by its logit; a model of more labels refuses', async () => {
    using model = await load<TextClassifier>('bert-reranker');
    const documents = ['The cat sat.', 'Ann met Bob.', 'A dog!'];
    const scores = await model.logits(documents.map((pair) => ({ text: 'Who sat?', pair })));
    const ranked = await model.rerank('Who sat?', documents, { topK: 2 });
    const expected = scores.map(([score], index) => ({ index, score })).sort((a, b) => b.score! - a.score!);
    expect(ranked).toEqual(expected.slice(0, 2));
    using other = await load<TextClassifier>('bert-classifier');
    await expect(other.rerank('a', ['b'])).rejects.toThrow(/gives 3 labels, expected one score/);
  });

  it.each(TASKS['token-classification'])('%s: the label of each token, where it stands', async (name) => {
    const { texts, spans, lengths, tensors } = await referenceOf(name);
    using model = await load<Tagger>(name);
    const { data } = tensors.get('logits')!;
    const tagged = await model.tag(texts, { together: 'token' });
    let from = 0;
    for (const [i, parts] of tagged.entries()) {
      const expected = spans![i]!.flatMap(([start, end], token) => {
        const row = data.slice((from + token + 1) * 5, (from + token + 2) * 5);
        const label = model.labels[row.indexOf(Math.max(...row))];
        return end > start ? [{ label, start, end, text: texts[i]!.slice(start, end) }] : [];
      });
      expect(parts.map(({ label, start, end, text }) => ({ label, start, end, text }))).toEqual(expected);
      from += lengths[i]!;
    }
    const entities = await model.tag(texts[2]!);
    for (const { text, start, end, label } of entities) {
      expect(text).toBe(texts[2]!.slice(start, end));
      expect(label).toMatch(/^(PER|LOC)$/);
    }
  });

  it.each(TASKS['question-answering'])('%s: the likeliest span', async (name) => {
    const { pairs, offsets, ids, tensors } = await referenceOf(name);
    using model = await load<QuestionAnswerer>(name);
    const { data } = tensors.get('logits')!;
    const [question, passage] = pairs![0]!;
    const count = offsets!.length;
    const first = ids[0]!.length - 1 - count;
    const side = (which: number): number[] => {
      const row = Array.from({ length: count }, (_, i) => data[2 * (first + i) + which]!);
      const sum = row.reduce((all, x) => all + Math.exp(x), 0);
      return row.map((x) => Math.exp(x) / sum);
    };
    const [begins, ends] = [side(0), side(1)];
    let best = { score: 0, start: 0, end: 0 };
    for (let i = 0; i < count; i++)
      for (let j = i; j < Math.min(count, i + 15); j++)
        if (begins[i]! * ends[j]! > best.score)
          best = { score: begins[i]! * ends[j]!, start: offsets![i]![0], end: offsets![j]![1] };
    const [answer, ...others] = await model.answer(question, passage, { topK: 3 });
    expect(answer).toMatchObject({ start: best.start, end: best.end, text: passage.slice(best.start, best.end) });
    expect(answer!.score).toBeCloseTo(best.score, 4);
    expect(others).toHaveLength(2);
    // In windows of a few tokens the words of an answer are still in one of them.
    using small = (await (await testEngine()).load(folderOf(name), { context: 24 })) as QuestionAnswerer;
    for (const one of await small.answer(question, passage, { topK: 3, stride: 4 }))
      expect(one.text).toBe(passage.slice(one.start, one.end));
    await expect(small.answer('cat '.repeat(30), passage)).rejects.toThrow(/reads at most 24 with the passage/);
  });

  it.each(TASKS['fill-mask'])('%s: the likeliest tokens of each gap', async (name) => {
    const { texts, top } = await referenceOf(name);
    using model = await load<MaskFiller>(name);
    const filled = [];
    for (const text of texts) filled.push(...(await model.fill(text, { topK: 5 })));
    expect(filled).toHaveLength(top!.length);
    for (const [i, [ids, scores]] of top!.entries()) {
      expect(filled[i]!.map(({ token }) => token)).toEqual(ids);
      for (const [j, { score }] of filled[i]!.entries()) expect(score).toBeCloseTo(scores[j]!, 4);
    }
    expect(texts[0]).toContain(model.mask);
    await expect(model.fill('no gap')).rejects.toThrow(/expected a gap/);
  });
});
