import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { findChrome } from '../../tools/chrome.mjs';
import { findVulkanDriver } from '../../tools/vulkan.mjs';

// The command as it is built, in a process of its own: small jobs, end to end.
const root = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(root, 'cli/dist/command/main.js');
const SAMPLES = join(root, 'weights/samples');

const chrome = await findChrome();
const driver = findVulkanDriver({ here: true });
const runtimes = [
  { runtime: 'chrome', there: chrome !== undefined },
  { runtime: 'dawn', there: driver !== undefined },
].filter(({ there }) => there || process.env.CI || process.env.TILEWRIGHT_CI);

const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await build({ only: ['cli', 'host'], log: () => {} });
  for (const name of ['cat', 'dog', 'frog', 'horse', 'truck']) {
    mkdirSync(join(folder, 'set', name), { recursive: true });
    cpSync(join(SAMPLES, `${name}.png`), join(folder, 'set', name, 'drawing.png'));
  }
  // A frog that is none.
  cpSync(join(SAMPLES, 'ship.png'), join(folder, 'set/frog/ship.png'));
  writeFileSync(join(folder, 'text.txt'), 'ROMEO: speak, my lord.\n'.repeat(40));
}, 120_000);

interface Ended {
  status: number;
  out: string;
  err: string;
}

const run = (...argv: string[]): Promise<Ended> => piped('', ...argv);

/** The same with a standard input. */
function piped(input: string, ...argv: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...argv], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err });
    });
    child.stdin!.end(input);
  });
}

/** A model with a chat template. */
function talker(): string {
  const model = join(folder, 'talker');
  if (existsSync(model)) return model;
  cpSync(join(root, 'weights/gpt-shakespeare'), model, { recursive: true });
  const template = '{% for m in messages %}{{ m.role }}:\n{{ m.content }}\n\n{% endfor %}JULIET:';
  writeFileSync(join(model, 'chat_template.jinja'), template);
  return model;
}

/** The JSON that a command prints; standard output holds nothing else. */
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

describe.each(runtimes)('the command in $runtime', ({ runtime }) => {
  const there = ['--runtime', runtime];

  it('classifies pictures', { timeout: 120_000 }, async () => {
    const model = join(root, 'tests/fixtures/resnet-tiny/hf-basic');
    const files = ['cat', 'ship'].map((name) => join(SAMPLES, `${name}.png`));
    const results = await json('run', model, '--image', ...files, '--top-k', '2', ...there);
    expect(results).toHaveLength(2);
    const { file, predictions } = results[0];
    expect(file).toBe(files[0]);
    expect(predictions.map(({ label }: { label: string }) => label)).toEqual(['hen', 'ant']);
    expect(predictions[0].probability).toBeCloseTo(0.447, 3);
  });

  it('continues a prompt as it streams, the same as in the other runtime', { timeout: 120_000 }, async () => {
    const { status, out, err } = await run(
      'run',
      'gpt-shakespeare',
      '--prompt',
      'ROMEO:',
      '--temperature',
      '0',
      '--max-new-tokens',
      '12',
      ...there,
    );
    expect(status, err).toBe(0);
    expect(out).toBe("ROMEO:\nI'll tell thee, I am not, I'll\n");
    expect(err).toMatch(/^adapter {2}.+\nmodel {4}gpt2, float32, 2,915,328 parameters/m);
    expect(err).toMatch(/12 tokens in .*tokens\/s/);
  });

  it('finds the nearest words, in a file and in a folder', { timeout: 120_000 }, async () => {
    const vectors = join(root, 'tests/fixtures/vectors');
    const { words } = JSON.parse(readFileSync(join(vectors, 'words.json'), 'utf8'));
    const [{ positive, negative, best }] = words.analogies;
    const found = await json('nearest', join(vectors, 'word2vec.bin'), ...positive, '--without', ...negative, ...there);
    expect(found).toMatchObject({ size: 60, dimension: 12 });
    expect(found.nearest).toHaveLength(10);
    expect(found.nearest.slice(0, 5).map(({ word }: { word: string }) => word)).toEqual(
      best.map(([word]: [string]) => word),
    );
    const { status, out, err } = await run('nearest', join(vectors, 'model2vec'), 'cat', '--top-k', '3', ...there);
    expect(status, err).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(4);
    const absent = await run('nearest', join(vectors, 'glove.txt'), 'absent', ...there);
    expect(absent.err).toContain('error [invalid-argument]: analogy: there is no word "absent" among 60');
  });

  it('talks, a line of a pipe a turn', { timeout: 120_000 }, async () => {
    const options = ['--temperature', '0', '--max-new-tokens', '5', ...there];
    const { status, out, err } = await piped('My love!\nSpeak.\n', 'chat', talker(), ...options);
    expect(status, err).toBe(0);
    expect(err.match(/5 tokens in .* of 256 tokens of the context are left$/gm)).toHaveLength(2);
    const alone = await run('run', talker(), '--prompt', 'user:\nMy love!\n\nJULIET:', ...options);
    expect(`user:\nMy love!\n\nJULIET:${out}`.startsWith(alone.out)).toBe(true);
    const bare = await piped('Hi\n', 'chat', 'gpt-shakespeare', ...there);
    expect([bare.status, bare.out]).toEqual([1, '']);
    expect(bare.err).toMatch(/^error \[not-found\]: .*has no chat template$/m);
  });

  it('verifies the kernels of a model', { timeout: 120_000 }, async () => {
    const report = await json('verify', join(root, 'tests/fixtures/gpt2-tiny'), ...there);
    expect(report).toMatchObject({ passed: true, summary: { failed: 0 } });
    expect(report.rows.length).toBe(report.summary.checked);
    for (const { variant, error, tolerance, ms } of report.rows) {
      expect(error, variant).toBeLessThanOrEqual(tolerance);
      expect(ms, variant).toBeGreaterThan(0);
    }
    const { status, out } = await run('verify', '--op', 'relu', 'pad', ...there);
    expect(status).toBe(0);
    expect(out).toMatch(/^pad +\d+ +\d+/m);
    expect(out).toMatch(/kernels checked on \d+ cases in .* 0 failed\nwhat runs here is right\n$/);
  });

  it('measures a product', { timeout: 120_000 }, async () => {
    const { rows, preset } = await json('bench', '--preset', 'tiny', '--suite', 'gemv', '--dtype', 'float32', ...there);
    expect(preset).toBe('tiny');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ name: 'gemv', shape: '64x128', dtype: 'float32', engine: 'tilewright' });
    expect(rows[0].ms.median).toBeGreaterThan(0);
  });

  it('gives an error its code and hint back', { timeout: 120_000 }, async () => {
    const { status, out, err } = await run('run', 'gpt-shakespeare', '--image', join(SAMPLES, 'cat.png'), ...there);
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/^error \[invalid-argument\]: this model \(gpt2\) generates text\n.*--prompt/m);
  });

  it('stores int8 weights, which answer as they do made at load', { timeout: 120_000 }, async () => {
    const model = join(root, 'tests/fixtures/resnet-tiny/hf-basic');
    const out = join(folder, `int8-${runtime}`);
    const image = ['--image', join(SAMPLES, 'cat.png')];
    const { bytes, before, report } = await json('quantize', model, out, '--report', ...image, ...there);
    expect(bytes).toBeLessThan(before);
    expect(report.samples).toBe(1);
    expect(report.layers[0]).toMatchObject({ op: 'conv2d', dtype: 'int8' });
    expect(report.totals.bytes.device).toBeLessThan(0.3 * report.totals.bytes.float32);
    const { tensors, metadata } = await json('inspect', out);
    const types = new Set(tensors.map(({ type }: { type: string }) => type));
    expect([...types].sort()).toEqual(['F32', 'I64', 'I8']);
    expect(metadata).toMatchObject({ quantized_by: expect.stringMatching(/^tilewright \d/), dtype: 'int8' });
    const [stored] = await json('run', out, ...image, ...there);
    const [made] = await json('run', model, '--dtype', 'int8', ...image, ...there);
    expect(stored.predictions).toEqual(made.predictions);
    const { err } = await run('quantize', out, join(folder, 'again'), ...there);
    expect(err).toMatch(/^error \[invalid-argument\]: .+ has no weights to store/m);
  });
});

describe.runIf(runtimes.some(({ runtime }) => runtime === 'chrome'))('in headless Chrome', () => {
  it('stores the scales of a calibration, which static activations then take', { timeout: 120_000 }, async () => {
    const [out, set] = [join(folder, 'calibrated'), join(folder, 'set')];
    await json('quantize', 'resnet20-cifar10', out, '--calibrate', set);
    const { tensors } = await json('inspect', out);
    const scales = tensors.filter(({ name }: { name: string }) => name.endsWith('.input_scale'));
    expect(scales).toHaveLength(22);
    const score = await json('eval', out, '--images', set, '--activations', 'static', '--everywhere');
    expect(score).toMatchObject({ pictures: 6, top1: 5 });
  });

  it('evaluates on a folder, in batches with a rest', { timeout: 120_000 }, async () => {
    const set = join(folder, 'set');
    const score = await json('eval', 'resnet20-cifar10', '--images', set, '--batch', '4');
    expect(score).toMatchObject({ pictures: 6, top1: 5 });
    const [frog, ship] = ['frog', 'ship'].map((name) => score.labels.indexOf(name));
    expect(score.confusion[frog][ship]).toBe(1);
    expect(score.confusion.flat().reduce((a: number, b: number) => a + b, 0)).toBe(6);
  });

  it('scores a text', { timeout: 120_000 }, async () => {
    const score = await json('eval', 'gpt-shakespeare', '--text', join(folder, 'text.txt'), '--limit', '1');
    expect(score).toMatchObject({ windows: 1, tokens: 255 });
    expect(score.perplexity).toBeCloseTo(Math.exp(score.loss), 6);
    expect(score.loss).toBeGreaterThan(0);
    expect(score.loss).toBeLessThan(6); // a guess at random costs log(1024) = 6.9
  });

  it('scores questions by the likeliest of their choices', { timeout: 120_000 }, async () => {
    const file = join(folder, 'questions.json');
    const prompt = 'ROMEO:\nO, she doth teach the torches to burn ';
    const questions = [
      { prompt, choices: ['bright!', 'QZXQZX!'], answer: 0 },
      { prompt, choices: ['QZXQZX!', 'bright!'], answer: 0 },
    ];
    writeFileSync(file, JSON.stringify(questions));
    const score = await json('eval', 'gpt-shakespeare', '--choices', file);
    expect(score).toMatchObject({ questions: 2, right: 1, accuracy: 0.5, rightByByte: 1, accuracyByByte: 0.5 });
    const [[bright, other], [otherAgain, brightAgain]] = score.logprobs;
    expect([brightAgain, otherAgain]).toEqual([bright, other]);
    expect(bright).toBeGreaterThan(other);
    expect(bright).toBeLessThan(0);
    const one = await json('eval', 'gpt-shakespeare', '--choices', file, '--limit', '1');
    expect(one).toMatchObject({ questions: 1, right: 1 });
  });

  it('tunes: the candidates of each shape, the winner among them', { timeout: 120_000 }, async () => {
    const rows = await json('tune', join(root, 'tests/fixtures/gpt2-tiny'), '--fast');
    expect(rows.length).toBeGreaterThan(4);
    for (const { candidates, chosen, count, shape } of rows) {
      expect(shape).toMatch(/^\[\d+/);
      expect(count).toBeGreaterThan(0);
      expect(candidates.map(({ label }: { label: string }) => label)).toContain(chosen);
      expect(candidates.every(({ ms }: { ms: number }) => ms > 0)).toBe(true);
    }
  });

  it('prints a plan and profiles it', { timeout: 120_000 }, async () => {
    const [plan] = await json('plan', 'resnet20-cifar10');
    expect(plan.transposes).toBe(
      plan.steps.filter(({ kernel }: { kernel: string }) => kernel.startsWith('transpose')).length,
    );
    expect(plan).toMatchObject({ plan: 'image' });
    expect(plan.steps.length).toBeLessThanOrEqual(26 + 2 * 12); // where 3×3 convolutions are Winograd's, two more each
    const [html, trace] = ['profile.html', 'trace.json'].map((name) => join(folder, name)) as [string, string];
    const [profile] = await json('profile', 'resnet20-cifar10', '--rounds', '1', '--html', html, '--trace', trace);
    expect(readFileSync(html, 'utf8')).toMatch(/^<!doctype html>[\s\S]*layer1\.0\.conv1/i);
    const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8'));
    const names = new Set(traceEvents.map(({ name }: { name: string }) => name));
    expect(profile.rows.filter(({ name }: { name: string }) => !names.has(name))).toEqual([]);
    expect(profile.ceilings.fmaF32).toBeGreaterThan(0); // what files are held against
    expect(profile.rows.map(({ kernel }: { kernel: string }) => kernel)).toEqual(
      plan.steps.map(({ kernel }: { kernel: string }) => kernel),
    );
    expect(profile.runMs).toBeGreaterThan(0);
  });

  it('writes the figures of all plans to a file, and a trace of one alone', { timeout: 120_000 }, async () => {
    const model = join(root, 'tests/fixtures/gpt2-tiny');
    const file = join(folder, 'profile.json');
    const { status, out, err } = await run('profile', model, '--rounds', '1', '--json', file);
    expect(status, err).toBe(0);
    expect(out).toMatch(/^decode: [\s\S]*^prefill: /m);
    const profiles = JSON.parse(readFileSync(file, 'utf8'));
    expect(profiles.map(({ plan, rounds }: { plan: string; rounds: number }) => [plan, rounds])).toEqual([
      ['decode', 1],
      ['prefill', 1],
    ]);
    const both = await run('profile', model, '--rounds', '1', '--trace', join(folder, 'none.json'));
    expect([both.status, both.out]).toEqual([1, '']);
    expect(both.err).toMatch(
      /^error \[invalid-argument\]: --trace: a trace has one plan, this model has 2\n.*--plan /m,
    );
    expect(existsSync(join(folder, 'none.json'))).toBe(false);
  });

  it('prints the kernel of a step, and one of a label that a GPU has', { timeout: 120_000 }, async () => {
    const [{ steps }] = await json('plan', 'resnet20-cifar10');
    const label = steps.find(({ kernel }: { kernel: string }) => kernel.startsWith('conv2d_')).kernel;
    const kernel = await json('kernel', label, 'resnet20-cifar10');
    expect(kernel).toMatchObject({ label, number: 1 });
    expect(kernel.where).toMatch(/^image, /);
    expect(kernel.text).toContain('// lib/operand_a.wgsl (');
    expect((await json('kernel', 'matmul_tiled[f32,none,128x128]', '--gpu', 'amd')).text).toContain(
      '// gemm_tiled.wgsl (kn)',
    );
  });

  it.skipIf(process.platform === 'win32')(
    'ends on SIGINT with 130, and leaves no browser behind',
    { timeout: 120_000 },
    async () => {
      const endless = ['run', 'gpt-shakespeare', '--prompt', 'A', '--max-new-tokens', '1000000', '--overflow', 'slide'];
      const child = spawn(process.execPath, [MAIN, ...endless], { stdio: ['ignore', 'pipe', 'pipe'] });
      let err = '';
      child.stderr.on('data', (chunk) => {
        err += chunk;
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const browsers = await childrenOf(child);
      expect(browsers.length).toBeGreaterThan(0);
      child.kill('SIGINT');
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
      expect(err).toContain('error [aborted]');
      for (const pid of browsers) expect(() => process.kill(pid, 0)).toThrow();
    },
  );
});

describe('the summary', () => {
  it('is printed without a GPU, as lines or as JSON', { timeout: 30_000 }, async () => {
    const { status, out, err } = await run('summary', 'resnet20-cifar10');
    expect(status, err).toBe(0);
    expect(out).toMatch(/^image\n *layer +op +gives +parameters +MAC +activations/);
    expect(out).toMatch(/^layer1\.0\.conv1 +conv2d +/m);
    expect(out).toMatch(/^272,474 parameters, /m);
    const [summary] = await json('summary', 'resnet20-cifar10');
    expect(summary.totals).toMatchObject({ parameters: 272_474 });
    const wrong = await run('summary', 'resnet20-cifar10', '--plan', 'decode');
    expect([wrong.status, wrong.out]).toEqual([1, '']);
    expect(wrong.err).toMatch(/^error \[invalid-argument\]: .*plan/m);
  });
});

/** Processes that a process started. */
function childrenOf({ pid }: ChildProcess): Promise<number[]> {
  return new Promise((resolve) => {
    execFile('ps', ['-A', '-o', 'pid=,ppid='], (_, out) => {
      const pairs = out
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number));
      resolve(pairs.filter(([, parent]) => parent === pid).map(([child]) => child!));
    });
  });
}
