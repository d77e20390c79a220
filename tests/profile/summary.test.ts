import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decoderShapes,
  GPT2,
  gptShapes,
  RESNET18,
  RESNET50,
  resnetShapes,
  type Shapes,
  SMOLLM2,
} from '../../bench/models.ts';
import { openOnPaper } from '../../src/cli/on-paper.ts';
import { layoutSafetensors } from '../../src/formats/safetensors-write.ts';
import type { ModelSummary } from '../../src/index.ts';
import counts from '../fixtures/onnx-counts.json' with { type: 'json' };
import { repositoryFolder } from '../support/files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tilewright-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The path of a checkpoint that has a header, and holes where the numbers would be. */
async function hollow(shapes: Shapes, config?: object): Promise<string> {
  const own = await mkdtemp(join(folder, 'model-'));
  const { head, byteLength } = layoutSafetensors(
    shapes.map(([name, shape]) => ({ name, shape, storedType: 'F32' as const })),
  );
  const file = await open(join(own, 'model.safetensors'), 'w');
  await file.write(head);
  await file.truncate(byteLength);
  await file.close();
  if (config) await writeFile(join(own, 'config.json'), JSON.stringify(config));
  return own;
}

async function summaryOf(source: string, dims?: Record<string, number>): Promise<ModelSummary> {
  const model = await openOnPaper(source, dims ? { dims } : {});
  return model.summary();
}

/** Four digits. */
const four = (value: number): number => Number(value.toPrecision(4));

describe('published counts, from headers alone', () => {
  it.each([
    ['ResNet-18', RESNET18, 1.814e9, 11.69e6],
    ['ResNet-50', RESNET50, 4.089e9, 25.56e6],
  ])('%s: MACs and parameters', async (_, size, macs, parameters) => {
    const { totals, rows } = await summaryOf(await hollow(resnetShapes(size)));
    expect([four(totals.macs), four(totals.parameters)]).toEqual([macs, parameters]);
    expect(rows[0]).toMatchObject({ label: 'conv1', op: 'conv2d', shape: [1, 64, 112, 112], parameters: 9408 });
    expect(totals.activationBytes).toBe(rows.reduce((sum, { activationBytes }) => sum + activationBytes, 0));
  });

  it('GPT-2: 124.44 M parameters, of which the table of tokens is one', async () => {
    const { totals, rows, weights } = await summaryOf(
      await hollow(gptShapes(GPT2), { model_type: 'gpt2', n_head: 12 }),
    );
    expect(totals.parameters).toBe(124_439_808);
    expect(rows.find(({ label }) => label === 'lm_head')).toMatchObject({ parameters: 0, macs: 768 * 50257 });
    expect(weights.float32).toEqual({ count: 124_439_808, bytes: 4 * 124_439_808 });
  });
});

describe('weights where no type is asked for', () => {
  const SMOLLM2_360M = {
    ...SMOLLM2,
    ...{
      hidden_size: 960,
      intermediate_size: 2560,
      num_hidden_layers: 32,
      num_attention_heads: 15,
      num_key_value_heads: 5,
    },
  };

  it('are those of the file up to 300 M parameters, and int8 beyond', async () => {
    const small = await openOnPaper(await hollow(decoderShapes(SMOLLM2), { ...SMOLLM2, tie_word_embeddings: true }));
    expect([small.parameters, small.dtype]).toEqual([134_515_008, 'float32']);
    const large = await openOnPaper(
      await hollow(decoderShapes(SMOLLM2_360M), { ...SMOLLM2_360M, tie_word_embeddings: true }),
    );
    expect([large.parameters, large.dtype]).toEqual([361_821_120, 'int8']);
  });
});

/** Ops whose parameters tools/onnx_counts.py counts. */
const COUNTED = ['conv2d', 'convTranspose2d', 'gemm', 'matmul', 'prelu', 'batchNormalization'];

describe("counts by onnx's shape inference", () => {
  const found = Object.entries(counts).filter(([file]) => existsSync(repositoryFolder(file)));
  it.each(found)('%s', async (file, { dims, parameters, macs }) => {
    const { totals, rows } = await summaryOf(repositoryFolder(file), dims as Record<string, number>);
    const own = rows.filter(({ op }) => COUNTED.includes(op));
    expect(totals.macs).toBe(macs);
    expect(own.reduce((sum, row) => sum + row.parameters, 0)).toBe(parameters);
  });
});

describe('a summary', () => {
  it('has the parameters that the model says it has, running statistics beside them', async () => {
    const model = await openOnPaper(repositoryFolder('weights/resnet20-cifar10'));
    const { totals, buffers } = await model.summary();
    expect(totals.parameters).toBe(model.parameters);
    expect(totals.parameters).toBe(272_474);
    expect(buffers).toBe(1568);
  });

  it('is of one plan, by its name', async () => {
    const model = await openOnPaper(repositoryFolder('tests/fixtures/gpt2-tiny'));
    const [decode, prefill] = [await model.summary({ plan: 'decode' }), await model.summary({ plan: 'prefill' })];
    expect(prefill.totals.macs).toBeGreaterThan(decode.totals.macs);
    expect(prefill.totals.parameters).toBe(decode.totals.parameters);
    await expect(model.summary({ plan: 'image' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(model.summary({ plan: 'decode', deep: 1 } as object)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
