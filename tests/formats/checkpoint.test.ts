import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { type ModelSource, openFolder } from '../../src/hub/folder.ts';
import { serve } from '../hub/server.ts';
import { bytesOf, expectError } from './files.ts';

const shard = (...names: string[]) =>
  encodeSafetensors(
    names.map((name) => ({ name, storedType: 'U8', shape: [name.length], bytes: new TextEncoder().encode(name) })),
    { [names[0]!]: 'first' },
  );
const index = (weight_map: unknown) => new Blob([JSON.stringify({ metadata: { total_size: 5 }, weight_map })]);
const open = async (files: ModelSource) => openCheckpoint(await openFolder(files));

const INDEX = 'model.safetensors.index.json';
const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';

describe('openCheckpoint', () => {
  it('takes model.safetensors before all others', async () => {
    const { tensors } = await open({ 'model.safetensors': shard('a'), 'other.safetensors': shard('b') });
    expect([...tensors.keys()]).toEqual(['a']);
  });

  it('takes the only file there is, by any name', async () => {
    const { tensors } = await open({ 'config.json': new Blob(['{}']), 'gpt.safetensors': shard('a') });
    expect(tensors.get('a')!.file).toBe('gpt.safetensors');
  });

  it('joins shards: each tensor from the shard of the index, in one order over all', async () => {
    const { tensors, byteLength, metadata } = await open({
      [INDEX]: index({ ccc: SECOND, a: FIRST, bb: FIRST }),
      [FIRST]: shard('a', 'bb', 'unused'),
      [SECOND]: shard('ccc', 'a'),
    });
    expect([...tensors.keys()]).toEqual(['a', 'bb', 'ccc']);
    expect([...tensors.values()].map(({ file }) => file)).toEqual([FIRST, FIRST, SECOND]);
    const orders = [...tensors.values()].map(({ order }) => order);
    expect(orders).toEqual(orders.toSorted((x, y) => x - y));
    expect(new Set(orders).size).toBe(3);
    expect(byteLength).toBe(6);
    expect(Object.fromEntries(metadata)).toEqual({ a: 'first', ccc: 'first' });
    expect(new TextDecoder().decode(await bytesOf(tensors.get('ccc')!.chunks()))).toBe('ccc');
  });

  it('says which shard is missing', async () => {
    const files = { [INDEX]: index({ a: FIRST, b: SECOND }), [FIRST]: shard('a') };
    await expectError(() => open(files), 'not-found', new RegExp(SECOND));
  });

  it('says which tensor a shard lacks', async () => {
    const files = { [INDEX]: index({ a: FIRST, b: FIRST }), [FIRST]: shard('a') };
    await expectError(() => open(files), 'invalid-file', /"b" in "model-00001-of-00002.safetensors", which lacks it/);
  });

  it.each([
    ['no weight_map', undefined],
    ['an array', [FIRST]],
    ['a number', { a: 1 }],
    ['a path upwards', { a: '../secret.safetensors' }],
    ['a path of Windows', { a: '..\\secret.safetensors' }],
    ['an address', { a: 'https://elsewhere.example/x.safetensors' }],
    ['another kind of file', { a: 'config.json' }],
  ])('refuses an index with %s', async (_, map) => {
    await expectError(() => open({ [INDEX]: index(map), [FIRST]: shard('a') }), 'invalid-file', /index\.json/);
  });

  it('refuses an index that is no JSON, or no object', async () => {
    await expectError(() => open({ [INDEX]: new Blob(['{']) }), 'invalid-file', /not valid JSON/);
    await expectError(() => open({ [INDEX]: new Blob(['null']) }), 'invalid-file', /holds no object/);
  });

  it('says when there is no checkpoint, or more than one', async () => {
    await expectError(() => open({ 'pytorch_model.bin': new Blob(['PK']) }), 'not-found', /neither/);
    const two = { 'a.safetensors': shard('a'), 'b.safetensors': shard('b') };
    await expectError(() => open(two), 'not-found', /several others: a.safetensors, b.safetensors/);
  });

  it.each([
    [
      200,
      { 'content-type': 'text/html' },
      'not-found',
      /neither .*model\.safetensors: the server answered 200 OK with an HTML page/,
    ],
    [404, {}, 'not-found', /neither .* answered 404/],
    [403, {}, 'network', /neither .* answered 403/],
    [401, {}, 'network', /neither .* answered 401/],
    [200, {}, 'invalid-file', /model\.safetensors: expected safetensors, got an HTML page/],
  ] as const)(
    'bug 19, bug 31: says what a server answers at the address: %d %j',
    async (status, headers, code, message) => {
      const server = await serve((_, response) => response.writeHead(status, headers).end('<!doctype html><p>no</p>'));
      await expectError(async () => openCheckpoint(await openFolder(server.url)), code, message);
      const one = `${server.url}weights.safetensors`;
      await expectError(
        async () => openCheckpoint(await openFolder(one)),
        code,
        code === 'invalid-file' ? /HTML/ : RegExp(`${status}`),
      );
    },
  );

  it('bug 30: an index that is nested deep is refused', async () => {
    const deep = `{"weight_map": ${'['.repeat(6000)}${']'.repeat(6000)}}`;
    await expectError(() => open({ [INDEX]: new Blob([deep]) }), 'invalid-file', /deeper than 127/);
  });
});
