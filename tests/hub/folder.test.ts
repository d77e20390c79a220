import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TilewrightError } from '../../src/errors.ts';
import { type Folder, type ModelSource, openFolder, readJson } from '../../src/hub/folder.ts';
import { expectError } from '../formats/files.ts';
import { files, serve } from './server.ts';

const text = (value: string) => new TextEncoder().encode(value);
const content = {
  'config.json': text('{"depth":20}'),
  'model.safetensors': text('weights'),
  'sub/a b#?.json': text('[1]'),
};

let path: string;
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'tilewright-'));
  await mkdir(join(path, 'sub'));
  for (const [name, bytes] of Object.entries(content)) await writeFile(join(path, name), bytes);
});
afterAll(() => rm(path, { recursive: true }));

async function read(folder: Folder, file: string): Promise<string> {
  const source = await folder.open(file);
  return new TextDecoder().decode(await source.slice(0, source.size));
}

function picked(name: string, webkitRelativePath: string): File {
  const file = new File([content[name as keyof typeof content]], name.split('/').pop()!);
  return Object.defineProperty(file, 'webkitRelativePath', { value: webkitRelativePath });
}

describe.each<[string, () => Promise<ModelSource>]>([
  ['a path', async () => path],
  ['a path with a slash', async () => `${path}/`],
  ['a file: URL', async () => pathToFileURL(path)],
  ['an address', async () => (await serve(files(content))).url.slice(0, -1)],
  ['an address with a query', async () => new URL('/?token=1', (await serve(files(content))).url)],
  ['buffers by name', async () => content],
  [
    'blobs by name',
    async () => Object.fromEntries(Object.entries(content).map(([name, data]) => [name, new Blob([data])])),
  ],
  ['the files of a folder picker', async () => Object.keys(content).map((name) => picked(name, `resnet/${name}`))],
])('openFolder of %s', (_, source) => {
  it('opens and finds files, and says what is not there', async () => {
    const folder = await openFolder(await source());
    expect(await read(folder, 'model.safetensors')).toBe('weights');
    expect(await read(folder, 'sub/a b#?.json')).toBe('[1]');
    expect(await readJson(folder, 'config.json')).toEqual({ depth: 20 });
    expect(await folder.find('none.json')).toBeUndefined();
    expect(await readJson(folder, 'none.json')).toBeUndefined();
    await expectError(() => folder.open('none.json'), 'not-found', /none\.json/);
    if (folder.list) expect(await folder.list()).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']));
  });

  it('does not leave the folder', async () => {
    const folder = await openFolder(await source());
    for (const name of ['../x', 'sub/../../x', '/etc/hostname', '.', '', 'a//b', '..\\x', 'a\0b']) {
      await expectError(() => folder.open(name), 'invalid-argument', /inside the folder/);
      await expectError(() => folder.find(name), 'invalid-argument');
    }
  });
});

describe.each<[string, () => Promise<ModelSource>, string]>([
  ['a path', async () => join(path, 'model.safetensors'), 'model.safetensors'],
  [
    'an address',
    async () => `${(await serve(files({ 'w/x.safetensors': text('weights') }))).url}w/x.safetensors?v=1`,
    'x.safetensors',
  ],
  ['a data: URL', async () => 'data:,weights', 'data URL'],
  ['an array', async () => content['model.safetensors'], 'model.safetensors'],
  ['a buffer', async () => content['model.safetensors'].buffer, 'model.safetensors'],
  ['a Blob', async () => new Blob(['weights']), 'model.safetensors'],
  ['a File', async () => new File(['weights'], 'resnet.safetensors'), 'resnet.safetensors'],
])('openFolder of one file: %s', (_, source, name) => {
  it('is a folder of model.safetensors alone', async () => {
    const folder = await openFolder(await source());
    expect(await read(folder, 'model.safetensors')).toBe('weights');
    expect((await folder.open('model.safetensors')).name).toBe(name);
    expect(await folder.find('config.json')).toBeUndefined();
    expect(await folder.list!()).toEqual(['model.safetensors']);
  });
});

describe('openFolder', () => {
  it('takes single files, without a path, from a picker', async () => {
    const folder = await openFolder([new File(['{}'], 'config.json'), new File(['w'], 'a.safetensors')]);
    expect(await folder.list!()).toEqual(['config.json', 'a.safetensors']);
    expect(await readJson(folder, 'config.json')).toEqual({});
  });

  it('resolves relative addresses, and passes the signal on', async () => {
    const server = await serve(files({ 'models/gpt/config.json': text('{}') }));
    const folder = await openFolder('models/gpt', { baseUrl: server.url });
    expect(folder.name).toBe(`${server.url}models/gpt/`);
    expect(await readJson(folder, 'config.json')).toEqual({});
    const aborted = await openFolder('models/gpt', { baseUrl: server.url, signal: AbortSignal.abort() });
    await expectError(() => aborted.find('config.json'), 'aborted');
  });

  it('does not take a failing server for a missing file', async () => {
    const server = await serve((_, response) => response.writeHead(503).end());
    const folder = await openFolder(server.url, { network: { retries: 0 } });
    await expectError(() => folder.find('config.json'), 'network', /503/);
  });

  it.each([400, 401, 403, 404, 405, 410, 451])('bug 19: an optional file answered %d is missing', async (status) => {
    const server = await serve((_, response) => response.writeHead(status).end('<Error>AccessDenied</Error>'));
    const folder = await openFolder(server.url);
    let why: TilewrightError | undefined;
    expect(
      await folder.find('config.json', (error) => {
        why = error;
      }),
    ).toBeUndefined();
    expect(why!.message).toContain(`config.json: the server answered ${status}`);
    expect(await readJson(folder, 'config.json')).toBeUndefined();
    await expectError(
      () => folder.open('config.json'),
      status === 404 || status === 410 ? 'not-found' : 'network',
      RegExp(`${status}`),
    );
  });

  it.each([408, 425, 429, 500, 502])('bug 19: an optional file answered %d is not', async (status) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    const folder = await openFolder(server.url, { network: { retries: 0 } });
    await expectError(() => folder.find('config.json'), 'network', RegExp(`${status}`));
  });

  it('says when a path is not there or the source is nothing of the kind', async () => {
    await expectError(() => openFolder(join(path, 'nowhere')), 'not-found', /nowhere.*ENOENT/);
    await expectError(() => openFolder('http://'), 'invalid-argument', /not a URL/);
    await expectError(() => openFolder(null as unknown as string), 'invalid-argument', /got null/);
    await expectError(() => openFolder(7 as unknown as string), 'invalid-argument', /got 7/);
  });
});

describe('readJson', () => {
  const read = async (json: string) => readJson(await openFolder({ 'config.json': text(json) }), 'config.json');

  it.each([
    ['text that is not JSON', '{"a":'],
    ['nothing at all', ''],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('refuses %s', async (_, bytes) => {
    const folder = await openFolder({ 'config.json': new Blob([bytes]) });
    await expectError(() => readJson(folder, 'config.json'), 'invalid-file', /config\.json is not valid JSON: /);
  });

  it.each([['null'], ['7'], ['[{}]'], ['"text"']])('refuses %s: it is no object', async (json) => {
    await expectError(() => read(json), 'invalid-file', /config\.json holds no object/);
  });

  it.each([
    ['<!DOCTYPE html><html></html>', /got an HTML page/],
    ['\ufeff\n <html>', /got an HTML page/],
    ['<?xml version="1.0"?><Error/>', /got XML/],
    ['<Error><Code>AccessDenied</Code></Error>', /got XML/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00', /got a Git LFS pointer/],
    ['PK\u0003\u0004', /got a PyTorch checkpoint/],
  ])('bug 31: says what %j is', async (json, message) => {
    await expectError(() => read(json), 'invalid-file', message);
  });

  it('bug 30: nesting ends at 127 levels, however deep it is', async () => {
    const nested = (levels: number, [open, close] = '[]') => `{"a":${open!.repeat(levels)}${close!.repeat(levels)}}`;
    expect(await read(nested(126))).toHaveProperty('a');
    for (const levels of [127, 6000, 1_000_000])
      await expectError(() => read(nested(levels)), 'invalid-file', /config\.json/);
    const objects = `${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}`;
    await expectError(() => read(objects), 'invalid-file', /deeper than 127 levels/);
    await expectError(() => read('{"a":'.repeat(6000)), 'invalid-file', /not valid JSON/);
  });
});

describe('bug 17: what is no source of a model', () => {
  it.each([
    ['a Response', new Response('x'), 'got a Response'],
    ['null', null, 'got null'],
    ['undefined', undefined, 'got undefined'],
    ['a number', 7, 'got 7'],
    ['an object of no files', { 'model.safetensors': 'weights' }, 'got {"model.safetensors":"weights"}'],
    ['a list of no files', ['config.json'], 'got ["config.json"]'],
    ['a list of nothing', [null], 'got [null]'],
    ['nothing at all', {}, 'got {}'],
  ])('%s', async (_, source, message) => {
    await expect(openFolder(source as ModelSource)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('arrayBuffer()'),
    });
  });
});
