import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../../src/cli/commands/quantize.ts';
import { reportLines } from '../../src/cli/report-table.ts';
import { type Sink, Taking } from '../../src/cli/runtime.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { openFolder } from '../../src/hub/folder.ts';
import type { ModelReport } from '../../src/models/report.ts';
import { bytesOf } from '../formats/files.ts';

const root = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(root, { recursive: true }));

const TINY = fileURLToPath(new URL('../fixtures/gpt2-tiny', import.meta.url));
const { signal } = new AbortController();

/** A model in two shards, with a config. */
const sharded = {
  'model-1.safetensors': encodeSafetensors(
    [
      { name: 'a', storedType: 'F32', shape: [2, 3], bytes: new Uint8Array(24).fill(1) },
      { name: 'b', storedType: 'BF16', shape: [3], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    ],
    { format: 'pt' },
  ),
  'model-2.safetensors': encodeSafetensors([
    { name: 'c', storedType: 'F32', shape: [5], bytes: new Uint8Array(20).fill(2) },
  ]),
  'model.safetensors.index.json': new TextEncoder().encode(
    JSON.stringify({ weight_map: { a: 'model-1.safetensors', b: 'model-1.safetensors', c: 'model-2.safetensors' } }),
  ),
  'config.json': new TextEncoder().encode('{ "n" : 1 }'),
};

const headers = [
  { name: 'a', storedType: 'I8', shape: [2, 3] },
  { name: 'a_scale', storedType: 'F32', shape: [1, 3] },
] as const;

/** Writes that model, with what `give` does for a job. */
async function write(target: string, work: (sink: Sink) => Promise<void>) {
  const taking = new Taking();
  const give = (name: string): Promise<void> => work((bytes) => taking.give(name, bytes));
  return writeFolder(
    await openFolder(sharded),
    target,
    headers,
    { dtype: 'int8' },
    {
      runtime: { take: (sink) => taking.add(sink) },
      give,
      signal,
    },
  ); // prettier-ignore
}

describe('a folder with stored weights', () => {
  it('has what is given in pieces of any size, all else as it was, and how it was made', async () => {
    const target = join(root, 'stored');
    const given = Uint8Array.from({ length: 6 + 12 }, (_, i) => 100 + i);
    const sizes = await write(target, async (give) => {
      for (const [from, to] of [
        [0, 4],
        [4, 9],
        [9, 18],
      ] as const)
        await give(given.subarray(from, to)); // prettier-ignore
    });
    expect(readdirSync(target).sort()).toEqual(['config.json', 'model.safetensors']);
    expect(readFileSync(join(target, 'config.json'), 'utf8')).toBe('{ "n" : 1 }');
    expect(readFileSync(join(target, 'model.safetensors'))).toHaveLength(sizes.bytes);
    expect(sizes.before).toBe(24 + 6 + 20);
    const { tensors, metadata } = await openCheckpoint(await openFolder(target));
    expect(Object.fromEntries(metadata)).toEqual({ format: 'pt', dtype: 'int8' });
    const types = Object.fromEntries([...tensors].map(([name, { typeName }]) => [name, typeName]));
    expect(types).toEqual({ a: 'I8', a_scale: 'F32', b: 'BF16', c: 'F32' });
    const read = async (name: string) => [...(await bytesOf(tensors.get(name)!.chunks()))];
    expect(await read('a')).toEqual([...given.subarray(0, 6)]);
    expect(await read('a_scale')).toEqual([...given.subarray(6)]);
    expect(await read('b')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await read('c')).toEqual(new Array(20).fill(2));
  });

  it('is not there where something fails on the way, and neither is a part of it', async () => {
    const before = readdirSync(root);
    const target = join(root, 'failed');
    const failing = write(target, async (give) => {
      await give(new Uint8Array(6));
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(readdirSync(root)).toEqual(before);
  });

  it('keeps the files of a tokenizer', async () => {
    const target = join(root, 'tiny');
    const folder = await openFolder(TINY);
    const give = async (): Promise<void> => {};
    await writeFolder(folder, target, [], {}, { runtime: { take: () => '' }, give, signal });
    const { tensors } = await openCheckpoint(await openFolder(target));
    expect(tensors.size).toBe((await openCheckpoint(folder)).tensors.size);
    const kept = readdirSync(TINY).filter((name) => /config|tokenizer/.test(name));
    expect(readdirSync(target).sort()).toEqual([...kept, 'model.safetensors'].sort());
  });
});

it('prints a report: layers, sums by kind, what the output lost', () => {
  const bytes = { float32: 4000, file: 4000, device: 1040 };
  const layer = { shape: [10, 100], dtype: 'int8', perScale: 100, bytes } as const;
  const weightError = { relative: 0.005, worst: { channel: 3, relative: 0.012 } };
  const outputError = { relative: 0.0061, absolute: 0.25 };
  const sums = {
    layers: 2,
    parameters: 1000,
    bytes,
    weightError: 0.005,
    worstOutput: { layer: 'wte', relative: 0.0061 },
  };
  const report: ModelReport = {
    model: 'tiny',
    architecture: 'gpt2',
    adapter: 'a GPU',
    dtype: 'int8',
    groupSize: null,
    samples: 1,
    layers: [
      { ...layer, name: 'wte', op: 'gather', shared: false, weightError, outputError },
      { ...layer, name: 'wte', op: 'matmul', shared: true, weightError: null, outputError: null },
    ],
    ops: [{ op: 'gather', ...sums }],
    totals: sums,
    output: outputError,
  };
  const lines = reportLines(report);
  expect(lines[0]).toBe('tiny: gpt2, on a GPU');
  expect(lines[2]).toMatch(
    /^wte +gather +\[10,100\] +int8 \/ 100 +4.00 kB +1.04 kB +5.0e-3 +1.2e-2 \(3\) +6.1e-3 +2.5e-1$/,
  );
  expect(lines[3]).toMatch(/^wte +matmul +\[10,100\] +int8 \/ 100 +shared +- +- +- +-$/);
  expect(lines.find((line) => line.startsWith('all'))).toMatch(
    /^all +2 +1,000 +4.00 kB +4.00 kB +1.04 kB +0.260 +5.0e-3 +6.1e-3 \(wte\)$/,
  );
  expect(lines.at(-1)).toBe('output against float32: 6.1e-3 off (normwise), 2.5e-1 at the worst, over 1 sample');
  expect(reportLines({ ...report, output: null }).at(-1)).toMatch(/not known/);
});
