import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TilewrightError } from '../../src/errors.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { isHubName, openFolder } from '../../src/hub/folder.ts';
import type { NetworkOptions } from '../../src/hub/policy.ts';
import { expectError } from '../formats/files.ts';
import { ownCacheFolder } from './cache-folder.ts';
import { files, pattern, serve } from './server.ts';

const TOKEN = 'hf_secret';
const data = encodeSafetensors([
  { name: 'a', storedType: 'U8', shape: [3_000_000], bytes: pattern(3_000_000) },
]) as Uint8Array<ArrayBuffer>;

const folder = ownCacheFolder();

/** Opens a model as a load does, and reads all of it. */
async function load(name: string, network: NetworkOptions): Promise<void> {
  const done = new AbortController();
  try {
    const opened = await openFolder(name, { network: { retries: 0, ...network }, loaded: done.signal });
    const { tensors } = await openCheckpoint(opened);
    let at = 8 + new DataView(data.buffer).getUint32(0, true);
    for (const tensor of tensors.values())
      for await (const chunk of tensor.chunks()) {
        if (Buffer.compare(chunk, data.subarray(at, at + chunk.length))) throw new Error(`other bytes at ${at}`);
        at += chunk.length;
      }
    expect(at).toBe(data.length);
    await opened.finish?.();
  } finally {
    done.abort();
  }
}

/** A hub that says no, with a status and what kind of no. */
const refuse = (status: number, code?: string) => (_: IncomingMessage, response: ServerResponse) =>
  response.writeHead(status, code ? { 'x-error-code': code } : {}).end('no');

describe('a model of a hub', () => {
  it.each([
    ['org/model', 'org/model/resolve/main/'],
    ['org/model.v2_1@v1.0', 'org/model.v2_1/resolve/v1.0/'],
    ['org/model@refs/pr/1', 'org/model/resolve/refs%2Fpr%2F1/'],
  ])('%s is fetched from %s', async (name, path) => {
    const server = await serve((request, response) => {
      request.url = request.url!.replace(`/${path}`, '/');
      files({ 'model.safetensors': data })(request, response);
    });
    await load(name, { base: server.url });
    await load(name, { base: server.url.slice(0, -1) });
    expect(server.requests[0]).toBe(`GET /${path}model.safetensors bytes=0-131071`);
  });

  it('a token goes to the hub, and not to another origin that it redirects to', async () => {
    const seen: (readonly [server: string, token: string | undefined])[] = [];
    const storage = await serve((request, response) => {
      seen.push(['storage', request.headers.authorization]);
      files({ 'model.safetensors': data })(request, response);
    });
    const hub = await serve(({ url, headers }, response) => {
      seen.push(['hub', headers.authorization]);
      // 127.0.0.1 and localhost are two origins.
      const location = `${storage.url.replace('127.0.0.1', 'localhost')}${url!.split('/').pop()}`;
      response.writeHead(302, { location }).end();
    });
    await load('org/model', { base: hub.url, token: TOKEN });
    expect(new Set(seen.map((one) => one.join(' ')))).toEqual(new Set([`hub Bearer ${TOKEN}`, 'storage ']));
  });

  it.each<[string, number, string | undefined, string | undefined, string, RegExp, RegExp]>([
    [
      'no such model',
      404,
      'RepoNotFound',
      undefined,
      'not-found',
      /org\/model: http.* has no such model/,
      /Check the name/,
    ],
    [
      'no such model, or not without a token',
      401,
      'RepoNotFound',
      undefined,
      'access-denied',
      /or it is private \(401\)/,
      /network: \{ token \}/,
    ],
    [
      'no such model, with a token',
      401,
      'RepoNotFound',
      TOKEN,
      'not-found',
      /has no such model|does not take/,
      /Check|token/,
    ],
    ['a token that is not taken', 401, undefined, TOKEN, 'access-denied', /does not take this token/, /new token/],
    [
      'terms',
      403,
      'GatedRepo',
      TOKEN,
      'access-denied',
      /agreed to its terms \(403\)/,
      /Agree to its terms at http.*org\/model/,
    ],
    ['terms, without a token', 401, 'GatedRepo', undefined, 'access-denied', /agreed to its terms \(401\)/, /token/],
    [
      'no such revision',
      404,
      'RevisionNotFound',
      undefined,
      'not-found',
      /org\/model: there is no revision "main"/,
      /branch, a tag or a commit/,
    ],
  ])('%s is told with what to do', async (_, status, code, token, error, message, hint) => {
    const hub = await serve(refuse(status, code));
    const thrown = await load('org/model', { base: hub.url, ...(token && { token }) }).then(
      () => undefined,
      (cause: TilewrightError) => cause,
    );
    expect(thrown).toMatchObject({ code: error });
    expect(thrown!.message).toMatch(message);
    expect(thrown!.hint).toMatch(hint);
    expect(hub.requests).toHaveLength(1); // what it said holds for all files
    expect(`${thrown!.message} ${thrown!.hint} ${thrown!.stack} ${JSON.stringify(thrown)}`).not.toContain(TOKEN);
  });

  it('a file that is not there is a file that is not there', async () => {
    const hub = await serve(refuse(404, 'EntryNotFound'));
    await expectError(() => load('org/model', { base: hub.url }), 'not-found', /neither model.safetensors nor/);
    expect(hub.requests.length).toBeGreaterThan(1);
  });

  it.each<[string, NetworkOptions, RegExp]>([
    ['a base that is no address', { base: 'hub' }, /base: expected an address that begins with http/],
    ['a base with a password', { base: `https://me:${TOKEN}@hub.test` }, /base: expected an address/],
    ['a token that no header has', { token: `${TOKEN}\nX: y` }, /token: is no value of a header/],
    ['a header that is none', { headers: { 'X-Key': `${TOKEN}\u0100` } }, /headers: X-Key: is no value of a header/],
    ['two tokens', { token: TOKEN, headers: { authorization: TOKEN } }, /either a token or a header Authorization/],
  ])('%s is refused, and not shown', async (_, network, message) => {
    const error = await openFolder('org/model', { network }).then(
      () => undefined,
      (thrown: TilewrightError) => thrown,
    );
    expect(error).toMatchObject({ code: 'invalid-argument', message: expect.stringMatching(message) });
    expect(`${error!.message} ${error!.hint} ${error!.cause}`).not.toContain(TOKEN);
  });

  it.each(['org/model@', 'org/model@..', 'org/model@a b', 'org/model@?x'])('%s names no revision', (name) =>
    expectError(() => openFolder(name), 'invalid-argument', /expected the name of a branch, a tag or a commit/),
  );
});

describe('a string is', () => {
  it.each(['org/model', 'a/b', 'org/model-1.5_x@main', 'org/model@refs/pr/1', 'org/model.v1'])(
    '%s a name on a hub',
    (name) => {
      expect(isHubName(name)).toBe(true);
    },
  );

  it.each([
    './org/model',
    '../model',
    '/org/model',
    'org/model/',
    'org/model/file',
    'model',
    '.org/model',
    'org/.model',
    'org/model.safetensors',
    'org/model.onnx',
    'https://host/model',
    'C:/model',
    'org\\model',
    'org/model?x=1',
  ])('%s none', (name) => {
    expect(isHubName(name)).toBe(false);
  });

  it('a path in Node where something is there', async () => {
    const hub = await serve(refuse(404));
    mkdirSync(join(folder(), 'org/model'), { recursive: true });
    writeFileSync(join(folder(), 'org/model/model.safetensors'), data);
    const before = process.cwd();
    try {
      process.chdir(folder());
      await load('org/model', { base: hub.url });
      await load('./org/model', { base: hub.url });
      await expectError(() => load('./org/none', { base: hub.url }), 'not-found', /ENOENT/);
      expect(hub.requests).toEqual([]);
      await expectError(() => load('org/none', { base: hub.url }), 'not-found');
      expect(hub.requests.length).toBeGreaterThan(0);
    } finally {
      process.chdir(before);
    }
  });
});
