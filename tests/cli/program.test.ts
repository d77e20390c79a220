import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, type MockInstance, onTestFinished, vi } from 'vitest';
import { cli } from '../../src/cli/program.ts';
import { files, serve } from '../hub/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TINY = fileURLToPath(new URL('../fixtures/gpt2-tiny', import.meta.url));

let stdout: MockInstance;
let stderr: MockInstance;
beforeEach(() => {
  stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());

const written = (to: MockInstance): string => to.mock.calls.map(([text]) => String(text)).join('');

/** What a command line printed, and its exit status. */
async function run(...argv: string[]) {
  const status = await cli(argv);
  return { status, out: written(stdout), err: written(stderr) };
}

describe('usage', () => {
  it.each<[string, string[], RegExp]>([
    ['no model', ['run'], /missing required argument 'model'/],
    ['no task', ['run', 'm'], /either --image or --prompt/],
    ['two tasks', ['run', 'm', '--image', 'a.png', '--prompt', 'b'], /not both/],
    ['two sets', ['eval', 'm', '--images', 'a', '--text', 'b'], /not both/],
    ['an unknown command', ['fly'], /unknown command/],
    ['an unknown option', ['plan', 'm', '--fast'], /unknown option/],
    ['an unknown runtime', ['plan', 'm', '--runtime', 'firefox'], /Allowed choices are chrome, dawn/],
    ['an unknown type', ['plan', 'm', '--dtype', 'int2'], /'int2' is none of float32, float16, int8, int4/],
    ['a layer without a type', ['plan', 'm', '--dtype', 'int8,fc'], /Expected layer=type, got 'fc'/],
    ['a group of another size', ['plan', 'm', '--group-size', '16'], /Expected one of 32, 64, 128/],
    ['no label', ['kernel'], /missing required argument 'label'/],
    ['a GPU that is not known', ['kernel', 'x', '--gpu', 'apple'], /Allowed choices are intel, amd/],
    ['a model and a GPU', ['kernel', 'x', 'm', '--gpu', 'amd'], /either a model or --gpu, not both/],
    ['an unknown suite', ['bench', '--suite', 'sort'], /Allowed choices are matmul/],
    ['an unknown peer', ['bench', '--peers', 'torch'], /Allowed choices are onnxruntime-web, /],
    ['a limit of none', ['eval', 'm', '--images', 'a', '--limit', '0'], /whole number from 1 on/],
    ['half a picture', ['eval', 'm', '--images', 'a', '--batch', '2.5'], /whole number from 1 on/],
    ['a cold temperature', ['run', 'm', '--prompt', 'a', '--temperature', '-1'], /number from 0 on/],
    ['a probability above 1', ['run', 'm', '--prompt', 'a', '--top-p', '1.1'], /above 0 and up to 1/],
    ['nobody to talk to', ['chat'], /missing required argument 'model'/],
    ['no word', ['nearest', 'glove.txt'], /missing required argument 'word'/],
    ['words of int4', ['nearest', 'glove.txt', 'a', '--dtype', 'int4'], /Allowed choices are float32/],
    ['a reply of no tokens', ['chat', 'm', '--max-new-tokens', '0'], /whole number from 1 on/],
    ['a text from its end', ['eval', 'm', '--text', 'a', '--from', '1'], /from 0 up to/],
    ['a word for a number', ['run', 'm', '--prompt', 'a', '--seed', 'x'], /whole number from 0 on/],
  ])('%s exits with 2 and says what is wrong', async (_, argv, message) => {
    const { status, out, err } = await run(...argv);
    expect(err).toMatch(message);
    expect(status).toBe(2);
    expect(out).toBe('');
  });

  it('shows help and version, and exits with 0', async () => {
    const help = await run('--help');
    expect(help.status).toBe(0);
    for (const name of [
      'devices',
      'run',
      'nearest',
      'profile',
      'summary',
      'inspect',
      'plan',
      'kernel',
      'tune',
      'verify',
      'eval',
      'bench',
      'chat',
      'cache',
    ])
      expect(help.out).toContain(name);
    expect(help.out).not.toContain('demo');
    expect((await run('--version')).status).toBe(0);
  });
});

describe('errors', () => {
  it('are one line with the code, then the hint, on standard error', async () => {
    const { status, out, err } = await run('inspect', 'no-such-model');
    expect(status).toBe(1);
    expect(out).toBe('');
    const [line, hint] = err.split('\n');
    expect(line).toBe('error [not-found]: there is no model no-such-model');
    expect(hint).toContain('resnet20-cifar10');
  });

  it('are JSON on standard output with --json', async () => {
    const path = join(folder, 'broken.safetensors');
    writeFileSync(path, 'not a checkpoint at all');
    const { status, out, err } = await run('inspect', path, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'invalid-file', hint: expect.any(String) } });
    expect(err).toContain('error [invalid-file]:');
  });

  it('say that a picture or a set is missing before a model is loaded', async () => {
    const picture = await run('run', 'resnet20-cifar10', '--image', 'no-such.png', '--runtime', 'dawn');
    expect(picture.err).toMatch(/^error \[not-found\]: no-such\.png/);
    stderr.mockClear();
    const set = await run('eval', 'resnet20-cifar10', '--images', 'no-such-set', '--runtime', 'dawn');
    expect(set.err).toMatch(/^error \[not-found\]: no-such-set/);
  });
});

describe('inspect', () => {
  it('lists the tensors of a folder', async () => {
    const { status, out } = await run('inspect', TINY);
    expect(status).toBe(0);
    expect(out).toMatch(/^tensor +type +shape +bytes/m);
    expect(out).toMatch(/^transformer\.wte\.weight +F32 +\[\d+,\d+\] +[\d,]+$/m);
    expect(out).not.toContain('\u001b'); // no colour where there is no terminal
  });

  it('gives the same as JSON, whose bytes sum up', async () => {
    const { out } = await run('inspect', join(TINY, 'model.safetensors'), '--json');
    const { tensors, byteLength, elements } = JSON.parse(out);
    expect(tensors.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0)).toBe(byteLength);
    expect(4 * elements.F32).toBe(byteLength);
  });

  it('knows the models that ship by name', async () => {
    const { out } = await run('inspect', 'resnet20-cifar10');
    expect(out).toContain('layer3.2.conv2.weight');
  });
});

describe('quantize', () => {
  it.each<[string, string[], RegExp]>([
    ['into a folder that holds something', [TINY, folder], /^error \[invalid-argument\]: .+ is not empty/],
    ['into a file', [TINY, join(TINY, 'config.json')], /^error \[invalid-argument\]: .+ is no folder to write/],
    [
      'where there is no folder',
      [TINY, join(folder, 'none', 'out')],
      /^error \[invalid-argument\]: .+ cannot be written/,
    ],
    [
      'as int4',
      [TINY, join(folder, 'int4'), '--dtype', 'int8,wte=int4'],
      /^error \[invalid-argument\]: int4 .+\n.*load/,
    ],
    ['what is not there', ['no-such-model', join(folder, 'out')], /^error \[not-found\]: there is no model/],
  ])('%s fails before anything is loaded', async (_, argv, message) => {
    writeFileSync(join(folder, 'something'), '');
    const { status, err } = await run('quantize', ...argv, '--runtime', 'dawn');
    expect(err).toMatch(message);
    expect(status).toBe(1);
  });

  it('wants something to do', async () => {
    const { status, err } = await run('quantize', TINY);
    expect(err).toMatch(/give a folder to write, or --report/);
    expect(status).toBe(2);
  });
});

describe('a model of a hub', () => {
  it('is kept when it is inspected, listed and removed', async () => {
    const weights = readFileSync(join(TINY, 'model.safetensors'));
    const path = '/org/tiny/resolve/main/model.safetensors';
    const tokens: (string | undefined)[] = [];
    const hub = await serve((request, response) => {
      tokens.push(request.headers.authorization);
      request.url = request.url!.replace('/org/tiny/resolve/main/', '/');
      files({ 'model.safetensors': weights })(request, response);
    });
    vi.stubEnv('XDG_CACHE_HOME', folder);
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    onTestFinished(() => void vi.unstubAllEnvs());
    const json = async (...argv: string[]) => {
      stdout.mockClear();
      const { status, out, err } = await run(...argv, '--json');
      expect([status, err]).toEqual([0, '']);
      return JSON.parse(out);
    };
    expect((await json('inspect', 'org/tiny')).tensors.length).toBeGreaterThan(0);
    expect(hub.requests[0]).toContain(path);
    expect(new Set(tokens)).toEqual(new Set(['Bearer hf_secret']));
    const { models } = await json('cache', 'list');
    expect(models).toMatchObject([{ name: 'org/tiny@main', from: hub.url.slice(0, -1) }]);
    expect((await run('cache', 'list')).out).toContain('org/tiny@main');
    expect(await json('cache', 'remove', 'org/tiny')).toEqual({ files: 1 });
    expect((await json('cache', 'list')).models).toEqual([]);
    expect(await json('cache', 'clear')).toEqual({ files: 0 });
  });
});
