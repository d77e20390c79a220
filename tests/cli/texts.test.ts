import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { classifyText } from '../../src/cli/commands/classify-text.ts';
import { embed } from '../../src/cli/commands/embed.ts';
import { search } from '../../src/cli/commands/search.ts';
import type { Embedded } from '../../src/cli/jobs/embed.ts';
import type { ReadTexts } from '../../src/cli/jobs/read-texts.ts';
import type { Found } from '../../src/cli/jobs/search.ts';
import { findVulkanDriver } from '../../tools/vulkan.mjs';
import { parseTensors } from '../support/files.ts';
import { listening } from '../support/listening.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/encoders/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'lines.txt');
const LINES = ['The cat sat on the mat.', 'A dog!', 'Ann met Bob in Paris.'];
writeFileSync(file, `${LINES.join('\n')}\n`);

// Without a driver for Dawn nothing is computed here.
describe.runIf(findVulkanDriver())('tilewright', { timeout: 120_000 }, () => {
  it('embed gives the vectors of sentence-transformers, of texts given and of lines', async () => {
    const stored = await parseTensors(readFileSync(join(fixture('bert-sentences'), 'reference.safetensors')));
    const { told, context } = listening();
    await embed(fixture('bert-sentences'), [LINES[0]!], { texts: file }, context);
    const { vectors, tokens, truncated } = told.result as Embedded;
    expect(vectors).toHaveLength(4);
    expect(vectors[0]).toEqual(vectors[1]!.map((x) => expect.closeTo(x, 5)));
    for (const [i, x] of vectors[0]!.entries()) expect(x).toBeCloseTo(stored.get('vectors')!.data[i]!, 5);
    expect(tokens).toBeGreaterThan(12);
    expect(truncated).toEqual([]);
    expect(told.lines[0]).toMatch(/^4 texts, \d+ tokens, 9 numbers each, /);
    expect(told.lines[2]).toMatch(/^0 The cat sat on the mat\. +1\.000 +1\.000 +[\d.-]+ +[\d.-]+$/);
  });

  it('embed takes the encoder of a classifier', async () => {
    const { told, context } = listening();
    await embed(fixture('bert-classifier'), ['a', 'b'], { dimensions: 5 }, context);
    expect((told.result as Embedded).vectors.map(({ length }) => length)).toEqual([5, 5]);
  });

  it('search finds the line itself first', async () => {
    const { told, context } = listening();
    await search(fixture('mpnet-sentences'), [LINES[2]!, LINES[1]!], { texts: file, topK: 2 }, context);
    const found = told.result as readonly Found[];
    expect(found.map(({ texts }) => texts.map(({ id }) => id)).map(([first]) => first)).toEqual([2, 1]);
    expect(found[0]!.texts).toHaveLength(2);
    expect(found[0]!.texts[0]).toEqual({ id: 2, score: expect.closeTo(1, 4), text: LINES[2] });
    expect(told.lines.filter((line) => line.includes('Ann met Bob'))).not.toHaveLength(0);
  });

  it('classify-text says what each kind of model says', async () => {
    const of = async (name: string, texts: string[], more = {}): Promise<ReadTexts> => {
      const { told, context } = listening();
      await classifyText(fixture(name), texts, more, context);
      return told.result as ReadTexts;
    };
    const [classified] = await of('bert-classifier', LINES.slice(0, 1));
    expect(classified!.labels.map(({ label }) => label).sort()).toEqual(['glad', 'neither', 'sad']);
    const [tagged] = await of('bert-tagger', LINES.slice(2));
    for (const { label, start, end } of tagged!.labels)
      expect(label).toMatch(new RegExp(`^(PER|LOC) ${LINES[2]!.slice(start, end)}$`));
    const [answered] = await of('bert-answerer', ['Who met Bob?'], { pair: LINES[2], topK: 2 });
    expect(answered!.labels).toHaveLength(2);
    for (const { label } of answered!.labels) expect(LINES[2]).toContain(label);
    const [filled] = await of('bert-mask', ['the [MASK] sat'], { topK: 3 });
    expect(filled!.labels).toHaveLength(3);
    await expect(of('mpnet-sentences', ['a'])).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
