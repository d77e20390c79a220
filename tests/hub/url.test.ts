import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { urlSource } from '../../src/hub/url.ts';
import { bytesOf, expectError } from '../formats/files.ts';
import { etagOf, files, pattern, serve } from './server.ts';

const small = pattern(1000);
const large = pattern(700_000);
const WINDOW = 128 * 1024;
/** How large.bin is told apart from others. */
const etag = etagOf(large);
const ONCE = { network: { retries: 0 } };

describe('urlSource over ranges', () => {
  it('learns the size with the first bytes, and needs no more for a small file', async () => {
    const server = await serve(files({ 'a/small.bin': small }));
    const source = await urlSource(`${server.url}a/small.bin?rev=1`);
    expect(source).toMatchObject({ name: 'small.bin', size: 1000 });
    expect(await source.slice(0, 1000)).toEqual(small);
    expect(await source.slice(990, 1000)).toEqual(small.slice(990));
    expect(server.requests).toEqual([`GET /a/small.bin?rev=1 bytes=0-${WINDOW - 1}`]);
  });

  it('asks for the bytes it lacks, once', async () => {
    const server = await serve(files({ 'large.bin': large }));
    const source = await urlSource(`${server.url}large.bin`);
    const check = async (start: number, end: number) =>
      expect(Buffer.compare(await bytesOf(source.stream(start, end)), large.subarray(start, end))).toBe(0);
    await check(5, 9);
    await check(WINDOW - 2, WINDOW + 3); // across the edge
    await check(300_000, 600_000); // larger than what small reads fetch
    await check(0, WINDOW);
    await check(699_990, 700_000);
    await check(0, 0);
    expect(server.requests.slice(1)).toEqual([`GET /large.bin bytes=${WINDOW}-699999`]);
  });

  it('reads a checkpoint', async () => {
    const tensors = ['a', 'b'].map((name) => ({
      name,
      storedType: 'U8' as const,
      shape: [300_000],
      bytes: pattern(300_000),
    }));
    const server = await serve(files({ 'model.safetensors': encodeSafetensors(tensors) }));
    const checkpoint = await openSafetensors(await urlSource(`${server.url}model.safetensors`));
    for (const { name, bytes } of tensors) {
      expect(Buffer.compare(await bytesOf(checkpoint.tensors.get(name)!.chunks()), bytes)).toBe(0);
    }
  });

  it('reads an empty file', async () => {
    const server = await serve(files({ empty: new Uint8Array(0) }));
    expect(await urlSource(`${server.url}empty`)).toMatchObject({ size: 0 });
  });

  it('fails when the file changes while it is read', async () => {
    let content = large;
    const server = await serve((request, response) => files({ 'large.bin': content })(request, response));
    const source = await urlSource(`${server.url}large.bin`);
    content = pattern(700_001);
    await expectError(() => source.slice(600_000, 600_001), 'file-changed', /it had 700000 bytes, now it has 700001/);
    content = pattern(10);
    await expectError(() => source.slice(600_000, 600_001), 'file-changed', /it had 700000 bytes, now it has 10/);
  });

  it('fails when the server sends fewer bytes than asked for', async () => {
    const alter = (body: Uint8Array, headers: Record<string, string>) => ({
      body: body.subarray(1),
      headers,
      status: 206,
    });
    const server = await serve(files({ 'small.bin': small }, { alter }));
    await expectError(() => urlSource(`${server.url}small.bin`, ONCE), 'network', /expected 1000 bytes .*, got 999/);
  });
});

describe('urlSource without ranges', () => {
  it('fetches the whole once', async () => {
    const server = await serve(files({ 'large.bin': large }, { ranges: false }));
    const source = await urlSource(`${server.url}large.bin`);
    expect(source).toMatchObject({ name: 'large.bin', size: 700_000 });
    expect(await source.slice(699_990, 700_000)).toEqual(large.slice(-10));
    expect(Buffer.compare(await bytesOf(source.stream(0, 700_000)), large)).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  it('does so too where the server hides how long the file is', async () => {
    const alter = (body: Uint8Array) => ({ body, headers: {}, status: 206 });
    const server = await serve(files({ 'large.bin': large }, { alter }));
    const source = await urlSource(`${server.url}large.bin`);
    expect(Buffer.compare(await source.slice(0, source.size), large)).toBe(0);
    expect(server.requests).toEqual([`GET /large.bin bytes=0-${WINDOW - 1}`, 'GET /large.bin']);
  });

  it('reads data: and blob: URLs', async () => {
    const source = await urlSource('data:application/octet-stream;base64,AQIDBA==');
    expect(source).toMatchObject({ name: 'data URL', size: 4 });
    expect(await source.slice(1, 3)).toEqual(new Uint8Array([2, 3]));
    const url = URL.createObjectURL(new Blob([large]));
    expect(await (await urlSource(url)).slice(600_000, 600_003)).toEqual(large.slice(600_000, 600_003));
    URL.revokeObjectURL(url);
  });
});

describe('urlSource fails with status and URL', () => {
  it.each([
    [404, 'not-found'],
    [410, 'not-found'],
    [403, 'network'],
    [500, 'network'],
  ] as const)('%d: %s', async (status, code) => {
    const server = await serve((_, response) => response.writeHead(status).end('<h1>no</h1>'));
    const message = new RegExp(`^${server.url}weights\\.bin: the server answered ${status} \\w+`);
    await expectError(() => urlSource(`${server.url}weights.bin`, ONCE), code, message);
  });

  it('a page in place of a file is no file', async () => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'));
    await expectError(
      () => urlSource(`${server.url}config.json`),
      'not-found',
      /200 OK with an HTML page \(content-type text\/html\)/,
    );
  });

  it('a server that is not there', async () => {
    const { url } = await serve(() => {});
    const closed = url.replace(/:\d+/, ':1');
    await expectError(() => urlSource(`${closed}x`, ONCE), 'network', /^http:\/\/127.0.0.1:1\/x: fetch failed/);
  });

  it('a long data URL is not repeated in whole', async () => {
    const url = `data:nothing${'x'.repeat(100_000)}`;
    await expectError(() => urlSource(url), 'network', /^.{1,300}$/s);
  });

  it.each([true, false])('a connection that breaks (ranges: %s)', async (ranges) => {
    const server = await serve((request, response) => {
      const range = ranges && /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      if (range && range[1] === '0') return files({ 'large.bin': large })(request, response);
      const headers = range ? { 'content-range': `bytes ${range[1]}-${range[2]}/700000`, etag } : {};
      response.writeHead(range ? 206 : 200, { ...headers, 'content-length': 400_000 });
      response.write(large.subarray(0, 1000), () => response.destroy());
    });
    const work = async () => (await urlSource(`${server.url}large.bin`, ONCE)).slice(300_000, 700_000);
    await expectError(work, 'network', /large\.bin: .*(terminated|closed)/);
  });
});

describe('urlSource aborts', () => {
  it('before and during the opening', async () => {
    const server = await serve(() => {});
    const aborted = AbortSignal.abort();
    await expectError(() => urlSource(`${server.url}a`, { signal: aborted }), 'aborted');
    const controller = new AbortController();
    const opening = urlSource(`${server.url}a`, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expectError(() => opening, 'aborted', /127\.0\.0\.1.*aborted/);
  });

  it('amid a read, and hangs up', async () => {
    let hungUp = false;
    const server = await serve((request, response) => {
      if (request.headers.range?.startsWith('bytes=0-')) return files({ 'large.bin': large })(request, response);
      response.on('close', () => (hungUp = true));
      response.writeHead(206, { 'content-range': `bytes ${WINDOW}-699999/700000`, etag });
      response.write(large.subarray(WINDOW, 310_000)); // and then nothing
    });
    const source = await urlSource(`${server.url}large.bin`);
    const controller = new AbortController();
    await expectError(
      async () => {
        setTimeout(() => controller.abort(), 20);
        for await (const _ of source.stream(300_000, 700_000, controller.signal));
      },
      'aborted',
      /reading large\.bin/,
    );
    for (let i = 0; i < 100 && !hungUp; i++) await sleep(10);
    expect(hungUp).toBe(true);
  });

  it('hangs up when the reader stops early', async () => {
    let hungUp = false;
    const server = await serve((request, response) => {
      if (request.headers.range?.startsWith('bytes=0-')) return files({ 'large.bin': large })(request, response);
      response.on('close', () => (hungUp = true));
      response.writeHead(206, { 'content-range': `bytes ${WINDOW}-699999/700000`, etag });
      response.write(large.subarray(WINDOW, 310_000));
    });
    const source = await urlSource(`${server.url}large.bin`);
    for await (const _ of source.stream(300_000, 305_000)) break;
    for (let i = 0; i < 100 && !hungUp; i++) await sleep(10);
    expect(hungUp).toBe(true);
  });
});
