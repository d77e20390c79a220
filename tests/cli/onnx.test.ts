import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { OnnxGraph } from '../../bench/peers/onnx.ts';
import { cli } from '../../src/cli/program.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { npyData, readNpy, writeNpy } from '../../src/formats/npy.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { build } from '../../tools/build.mjs';
import { findChrome } from '../../tools/chrome.mjs';
import { findVulkanDriver } from '../../tools/vulkan.mjs';
import { resnet20Onnx } from '../support/resnet20-onnx.ts';

const MAIN = fileURLToPath(new URL('../../cli/dist/command/main.js', import.meta.url));
const chrome = await findChrome();
const driver = findVulkanDriver({ here: true });
const runtimes = [
  { runtime: 'chrome', there: chrome !== undefined },
  { runtime: 'dawn', there: driver !== undefined },
].filter(({ there }) => there || process.env.CI || process.env.TILEWRIGHT_CI);

const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...path: string[]): string => join(folder, ...path);

/** Rows and columns of the weights, such that they lie outside of the model file. */
const [ROWS, COLUMNS] = [32, 16];
const weights = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i));
const vectors = Float32Array.from({ length: 2 * ROWS }, (_, i) => Math.cos(i));

/** y: of x [batch, 32] by the weights, plus a bias; `total:0`: ids + 1. */
function writeModel(path: string): void {
  const graph = new OnnxGraph(true);
  const x = graph.input('x', 'float32', ['batch', ROWS]);
  const ids = graph.input('ids', 'int64', ['batch', 'length']);
  const product = graph.node('MatMul', [x, graph.constant(weights, [ROWS, COLUMNS], 'w.bin')]);
  graph.node('Add', [product, graph.constant(new Float32Array(COLUMNS).fill(0.5), [COLUMNS])], {}, 'y');
  graph.node('Add', [ids, graph.integers(1)], {}, 'total:0');
  graph.output('y', 'float32', ['batch', COLUMNS]);
  graph.output('total:0', 'int64', ['batch', 'length']);
  write(path, graph);
}

function write(path: string, graph: OnnxGraph): void {
  const { model, externalData } = graph.encode();
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, model);
  for (const { path: name, data } of externalData) writeFileSync(join(path, '..', name), data);
}

const MODEL = at('model', 'linear.onnx');

beforeAll(() => {
  writeModel(MODEL);
  const strange = new OnnxGraph();
  const x = strange.input('x', 'float32', [4]);
  strange.node('Relu', [strange.node('Curl', [x], {}, 'first')], {}, 'a');
  strange.node('Curl', [x], {}, 'second');
  strange.node('Twist@com.example', [x], {}, 'b');
  for (const name of ['a', 'b']) strange.output(name, 'float32', [4]);
  write(at('strange.onnx'), strange);
  mkdirSync(at('inputs'));
  writeFileSync(
    at('inputs', 'x.npy'),
    writeNpy({ type: 'f4', dims: [2, ROWS], bytes: new Uint8Array(vectors.buffer) }),
  );
  writeFileSync(at('inputs', 'ids.json'), '[[1, 2, 3], [4, 5, -6]]');
  writeFileSync(at('short.npy'), writeNpy({ type: 'i4', dims: [2, 1], bytes: new Uint8Array(8) }));
});

describe('without a GPU', () => {
  let stdout: MockInstance;
  let stderr: MockInstance;
  beforeEach(() => {
    stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());
  const written = (to: MockInstance): string => to.mock.calls.map(([text]) => String(text)).join('');
  async function run(...argv: string[]) {
    const status = await cli(argv);
    return { status, out: written(stdout), err: written(stderr) };
  }

  it('inspects a file: what it takes and gives, and its ops', async () => {
    const { status, out } = await run('inspect', MODEL);
    expect(status).toBe(0);
    expect(out).toMatch(/^producer: tilewright bench\noperator sets: ai\.onnx 20, com\.microsoft 1$/m);
    expect(out).toMatch(/^x +float +\[batch,32\]\nids +int64 +\[batch,length\]$/m);
    expect(out).toMatch(/^total:0 +int64 +\[batch,length\]$/m);
    expect(out).toMatch(/^Add +2\nMatMul +1$/m);
    expect(out).toMatch(/^3 tensors; 528 parameters; 2\.12 kB\nall ops and types are computed here$/m);
  });

  it('inspects the only ONNX file of a folder', async () => {
    const { out } = await run('inspect', at('model'), '--json');
    expect(JSON.parse(out)).toEqual({
      producer: 'tilewright bench',
      opsets: { 'ai.onnx': 20, 'com.microsoft': 1 },
      metadata: {},
      inputs: [
        { name: 'x', type: 'float', dims: ['batch', 32] },
        { name: 'ids', type: 'int64', dims: ['batch', 'length'] },
      ],
      outputs: [
        { name: 'y', type: 'float', dims: ['batch', 16] },
        { name: 'total:0', type: 'int64', dims: ['batch', 'length'] },
      ],
      tensors: 3,
      parameters: ROWS * COLUMNS + COLUMNS,
      bytes: 4 * (ROWS * COLUMNS + COLUMNS) + 8,
      ops: { Add: 2, MatMul: 1 },
      unsupported: [],
    });
  });

  it('names all that is not computed here, and where', async () => {
    const { status, out } = await run('inspect', at('strange.onnx'));
    expect(status).toBe(0);
    expect(out).toMatch(/^Curl +2 +not computed here$/m);
    expect(out).toMatch(/^not computed here: Curl, at first, second\nnot computed here: com\.example\.Twist, at b$/m);
  });

  it.each<[string, string[], RegExp]>([
    ['a dimension without a number', ['plan', 'm', '--dims', 'batch'], /Expected name=number, got 'batch'/],
    ['a dimension that is no number', ['plan', 'm', '--dims', 'a=1,b=x'], /whole number from 0 on/],
    ['nothing to run on', ['run', 'm'], /or --input for an ONNX model/],
    ['tensors and pictures', ['run', 'm', '--input', 'a.npy', '--image', 'b.png'], /not both/],
  ])('%s exits with 2 and says what is wrong', async (_, argv, message) => {
    const { status, err } = await run(...argv);
    expect(err).toMatch(message);
    expect(status).toBe(2);
  });

  it('has no report of an ONNX model, which says why', async () => {
    const { status, err } = await run('quantize', MODEL, at('none'), '--report', '--runtime', 'dawn');
    expect(err).toMatch(/^error \[invalid-argument\]: .+ is an ONNX model: it has no report/);
    expect(status).toBe(1);
    expect(existsSync(at('none'))).toBe(false);
  });
});

function run(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...argv], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err });
    });
  });
}

/** The JSON that a command prints. */
async function json(...argv: string[]) {
  const { status, out, err } = await run(...argv, '--json');
  expect(status, err).toBe(0);
  return JSON.parse(out);
}

if (runtimes.length < 2) {
  it('runs only where a Chrome, and a driver for Dawn, are found', ({ skip }) => {
    skip(`found: ${runtimes.map(({ runtime }) => runtime).join(', ') || 'neither'}`);
  });
}

// One runtime is enough: what differs between them is tested in command.test.ts.
describe.each(runtimes.slice(-1))('an ONNX model in $runtime', { timeout: 120_000 }, ({ runtime }) => {
  beforeAll(() => build({ only: ['cli', 'host'], log: () => {} }), 120_000);
  const there = ['--runtime', runtime];

  it('runs on files, with its weights beside it, and writes files that it takes again', async () => {
    const out = at(`out-${runtime}`);
    const inputs = ['--input', `ids=${at('inputs', 'ids.json')}`, '--input', at('inputs', 'x.npy')];
    const [y, total] = await json('run', MODEL, ...inputs, '--output', out, ...there);
    const expected = (row: number, column: number): number => {
      let sum = 0.5;
      for (let k = 0; k < ROWS; k++) sum += vectors[row * ROWS + k]! * weights[k * COLUMNS + column]!;
      return sum;
    };
    expect(y).toMatchObject({ name: 'y', type: 'float', dims: [2, COLUMNS], nan: 0, file: join(out, 'y.npy') });
    const stored = readNpy('y', readFileSync(y.file));
    expect([stored.type, stored.dims]).toEqual(['f4', [2, COLUMNS]]);
    const numbers = Array.from(npyData('f4', stored.bytes), Number);
    numbers.forEach((value, i) => {
      expect(Math.abs(value - expected(Math.floor(i / COLUMNS), i % COLUMNS))).toBeLessThan(1e-4);
    });
    expect(y.least).toBe(Math.min(...numbers));
    expect(y.largest).toBe(Math.max(...numbers));
    expect(total).toMatchObject({ name: 'total:0', type: 'int64', least: -5, largest: 6, first: [2, 3, 4, 5, 6, -5] });
    expect(readdirSync(out).sort()).toEqual(['total%3A0.npy', 'y.npy']);
    const again = await json('run', MODEL, '--input', at('inputs', 'x.npy'), `ids=${total.file}`, ...there);
    expect(again[1].first).toEqual([3, 4, 5, 6, 7, -4]);
  });

  it('runs on a folder of inputs, and from a folder', async () => {
    const { status, out, err } = await run('run', at('model'), '--input', at('inputs'), ...there);
    expect(status, err).toBe(0);
    expect(out).toMatch(/^total:0 +int64 +\[2,3\] +-5 +6 +2\.5 +2 3 4 5 6 -5$/m);
    expect(err).toMatch(/^model {4}onnx, float32, 528 parameters, weights 2\.12 kB in the file/m);
  });

  it('makes up inputs that are not given, the same of a seed', async () => {
    const random = ['run', MODEL, '--random', '--dims', 'length=3', '--input', at('inputs', 'x.npy'), ...there];
    const [first, same, other] = [await json(...random), await json(...random), await json(...random, '--seed', '5')];
    expect(same).toEqual(first);
    expect(other[1].first).not.toEqual(first[1].first);
    expect(first[1].dims).toEqual([2, 3]); // batch is that of x
    const { err } = await run('run', MODEL, '--random', ...there);
    expect(err).toMatch(/^error \[invalid-argument\]: the input 'x' has the dimension batch.+\nGive --dims batch=N/m);
  });

  it('names what is missing, of another type or not known', async () => {
    const x = ['run', MODEL, ...there, '--input', at('inputs', 'x.npy')];
    expect((await run(...x)).err).toMatch(/^error \[invalid-argument\]: the input 'ids' is missing: int64/m);
    const short = (await run(...x, `ids=${at('short.npy')}`)).err;
    expect(short).toMatch(/^error \[wrong-type\]: input ids: expected int64 \(i8\), got i4/m);
    const extra = (await run(...x, `z=${at('short.npy')}`)).err;
    expect(extra).toMatch(/^error \[invalid-argument\]: there is no input 'z' \(x, ids\)/m);
    const missing = (await run(...x, 'ids=none.npy')).err;
    expect(missing).toMatch(/^error \[not-found\]: none\.npy cannot be read/m);
    const strange = (await run('run', at('strange.onnx'), '--random', ...there)).err;
    expect(strange).toMatch(/^error \[unsupported-op\]: .+Curl \(2 times, first first\), com\.example\.Twist \(b\)/m);
  });

  it('is planned, profiled, verified and tuned for dimensions', async () => {
    const dims = ['--dims', 'batch=2', '--dims', 'length=3', ...there];
    const [plan] = await json('plan', MODEL, ...dims);
    expect(plan.steps.map(({ output }: { output: string }) => output)).toContain(`float32[2,${COLUMNS}]`);
    expect((await json('profile', MODEL, ...dims))[0].rows).toHaveLength(plan.steps.length);
    const { passed, summary } = await json('verify', MODEL, ...dims);
    expect([passed, summary.failed]).toEqual([true, 0]);
    expect(summary.right).toBeGreaterThanOrEqual(plan.steps.length);
    const rows = await json('tune', MODEL, '--fast', ...dims);
    expect(rows.length).toBeGreaterThan(0);
  });

  it.each(['plan', 'profile', 'verify', 'tune'])('%s says which dimensions it needs', async (command) => {
    const { status, err } = await run(command, MODEL, '--dims', 'batch=2', ...there);
    expect(err).toMatch(/^error \[invalid-argument\]: .+the dimensions length are not known\nGive --dims length=N\./m);
    expect(status).toBe(1);
    const other = await run(command, MODEL, '--dims', 'width=2', ...there);
    expect(other.err).toMatch(/^error \[invalid-argument\]: .+no input .+ 'width' \(batch, length\)/m);
  });

  it('is written with int8 weights, and loads again with what they are made of', async () => {
    const out = at(`int8-${runtime}`);
    const { bytes, before } = await json('quantize', MODEL, out, '--dims', 'batch=1,length=1', ...there);
    expect(before).toBe(4 * (ROWS * COLUMNS + COLUMNS) + 8);
    expect(bytes).toBeLessThan(before);
    expect(readdirSync(out)).toEqual(['linear.onnx']); // the weights that lay beside it are in it
    const report = await json('inspect', out);
    expect(report.ops).toEqual({ Add: 2, MatMul: 1, DequantizeLinear: 1 });
    expect(report.metadata).toMatchObject({ dtype: 'int8', quantized_by: expect.stringMatching(/^tilewright \d/) });
    const inputs = ['--input', at('inputs'), ...there];
    const [stored] = await json('run', out, ...inputs);
    const [made] = await json('run', MODEL, '--dtype', 'int8', ...inputs);
    expect(stored.first).toEqual(made.first);
    const [plain] = await json('run', MODEL, ...inputs);
    expect(stored.first).not.toEqual(plain.first);
    expect(Math.abs(stored.first[0] - plain.first[0])).toBeLessThan(0.02);
    const { err } = await run('quantize', out, at('again'), '--dims', 'batch=1,length=1', ...there);
    expect(err).toMatch(/^error \[invalid-argument\]: .+ has no weights to store/m);
    const open = await run('quantize', MODEL, at('again'), ...there);
    expect(open.err).toMatch(/^error \[invalid-argument\]: .+the dimensions batch, length are not known/m);
  });
});

describe.runIf(runtimes.some(({ runtime }) => runtime === 'chrome'))('an ONNX classifier', { timeout: 120_000 }, () => {
  const weights = fileURLToPath(new URL('../../weights/', import.meta.url));
  const config = join(weights, 'resnet20-cifar10/config.json');
  const [model, set, float] = [at('resnet20.onnx'), at('pictures'), at('float-resnet')];
  const known: string[] = JSON.parse(readFileSync(config, 'utf8')).label_names;
  const seen = ['cat', 'frog', 'ship'];
  /** Right answers to what is there. */
  const right = ({ confusion }: { confusion: number[][] }): number[] =>
    seen.map((label) => confusion[known.indexOf(label)]![known.indexOf(label)]!);

  beforeAll(async () => {
    await build({ only: ['cli', 'host'], log: () => {} });
    writeFileSync(model, await resnet20Onnx(await openCheckpoint(await openFolder(join(weights, 'resnet20-cifar10')))));
    mkdirSync(float);
    writeFileSync(join(float, 'model.onnx'), readFileSync(model));
    writeFileSync(join(float, 'preprocessor_config.json'), readFileSync(config));
    // A folder a class, in the order of the classes: the file names none. Where there is no sample, a cat is no such thing.
    for (const label of known) {
      mkdirSync(join(set, label), { recursive: true });
      const sample = (name: string): string => join(weights, `samples/${name}.png`);
      writeFileSync(join(set, label, 'a.png'), readFileSync(sample(seen.includes(label) ? label : 'cat')));
    }
  }, 120_000);

  it('is evaluated on labelled pictures, as the same model in another form', async () => {
    const asked = ['eval', model, '--images', set];
    const score = await json(...asked, '--preprocess', config, '--batch', '4');
    expect([score.pictures, right(score)]).toEqual([10, [1, 1, 1]]);
    const { confusion } = await json('eval', 'resnet20-cifar10', '--images', set);
    expect(score.confusion).toEqual(confusion);
    expect(right(await json('eval', float, '--images', set, '--dtype', 'int8'))).toEqual([1, 1, 1]);
    // Numbers up to 255 are none that it was trained on.
    expect(right(await json(...asked, '--preprocess', 'bytes'))).not.toEqual([1, 1, 1]);
  });

  it('says what it needs to know of pictures', async () => {
    const asked = ['eval', model, '--images', set];
    expect((await run(...asked)).err).toMatch(
      /does not say how pictures become numbers.*\nGive --preprocess imagenet, /m,
    );
    expect((await run(...asked, '--preprocess', 'none')).err).toMatch(
      /^error \[not-found\]: --preprocess: none cannot/m,
    );
    expect((await run('eval', MODEL, '--images', set, '--preprocess', 'unit')).err).toMatch(
      /^error \[invalid-argument\]: .+expected one input of pictures, .+ got x: float\[batch,32\], ids: int64/m,
    );
    const twice = await run('eval', 'resnet20-cifar10', '--images', set, '--preprocess', 'unit');
    expect(twice.err).toMatch(/^error \[invalid-argument\]: --preprocess: this model says it itself/m);
  });

  it('stores the scales of a calibration, which static activations then take', async () => {
    const out = at('calibrated');
    await json('quantize', float, out, '--calibrate', set, '--dims', 'batch=1');
    expect(readdirSync(out).sort()).toEqual(['model.onnx', 'preprocessor_config.json']);
    const { tensors, parameters } = await json('inspect', out);
    const { tensors: before } = await json('inspect', float);
    expect(tensors).toBe(before + 22 + 22); // a scale for each layer's weights, one for its inputs
    expect(parameters).toBeLessThan(5000);
    const score = await json('eval', out, '--images', set, '--activations', 'static', '--everywhere');
    expect(right(score)).toEqual([1, 1, 1]);
    const without = await run(
      'eval',
      float,
      '--images',
      set,
      '--dtype',
      'int8',
      '--activations',
      'static',
      '--everywhere',
    );
    expect(without.err).toMatch(/^error \[invalid-argument\]: .*calibration/m);
  });
});
