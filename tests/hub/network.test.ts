import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openOnnx } from '../../src/formats/onnx.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { openFolder } from '../../src/hub/folder.ts';
import type { NetworkOptions } from '../../src/hub/policy.ts';
import { urlSource } from '../../src/hub/url.ts';
import { createRandom } from '../../src/text/random.ts';
import { expectError } from '../formats/files.ts';
import { encodeModel, node } from '../support/onnx.ts';
import { type Hostile, type HostileOptions, serveHostile, type Trick } from './hostile.ts';

const STALL = 800; // twice that a busy machine takes to answer

/** A checkpoint of 5.6 MB, whose tensors are large, small and neither, in no order of their sizes. */
function checkpoint(seed: number): Uint8Array {
  const random = createRandom(seed);
  const sizes = [300_000, 12, 2_200_000, 40, 700, 1_500_000, 90_000, 4, 1_050_000, 333_333, 64, 150_000];
  return encodeSafetensors(
    sizes.map((size, i) => {
      const bytes = Uint8Array.from({ length: size }, () => random() * 256);
      return { name: `${String(i).padStart(2, '0')}.weight`, storedType: 'U8' as const, shape: [size], bytes };
    }),
  );
}
const data = checkpoint(1);
const other = checkpoint(2);
const sha = (...parts: Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const bodyOf = (file: Uint8Array): Uint8Array =>
  file.subarray(8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)));

/** The sha256 of all tensors, read as a load reads them. */
async function load(url: string, network: NetworkOptions = {}, signal?: AbortSignal): Promise<string> {
  const source = await urlSource(url, { signal, network: { stall: STALL, ...network } });
  const { tensors } = await openSafetensors(source, signal);
  const hash = createHash('sha256');
  for (const tensor of tensors.values()) for await (const chunk of tensor.chunks(signal)) hash.update(chunk);
  return hash.digest('hex');
}

/** A trick at the requests of these numbers. */
const at = (tricks: Record<number, Trick>) => (_: unknown, index: number) => tricks[index];
const always =
  (trick: Trick, from = 1) =>
  (_: unknown, index: number) =>
    index >= from ? trick : undefined;

/** The file comes whole and right, for the bytes of little more than one. */
async function expectRight(options: HostileOptions, network?: NetworkOptions, share = 1.05): Promise<Hostile> {
  const server = await serveHostile(data, options);
  expect(await load(server.url, network)).toBe(sha(bodyOf(data)));
  expect(server.sent).toBeLessThanOrEqual(share * data.length);
  return server;
}

describe('a file behind a URL comes whole and right', () => {
  it('in ranges of at least 1 MB that do not overlap, several at a time', async () => {
    const server = await expectRight({}, undefined, 1);
    const ranges = server.requests.map((request) => /bytes=(\d+)-(\d+)/.exec(request)!.slice(1).map(Number));
    ranges.sort(([a], [b]) => a! - b!);
    expect(ranges[0]![0]).toBe(0);
    for (const [i, [start]] of ranges.slice(1).entries()) expect(start).toBe(ranges[i]![1]! + 1);
    for (const [start, last] of ranges.slice(2)) expect(Math.min(last!, data.length) - start!).toBeGreaterThan(3e5);
    expect(ranges.length).toBeLessThanOrEqual(2 + Math.ceil(data.length / 2 ** 20));
  });

  it('where the connection breaks at 20 random places', { timeout: 60_000 }, async () => {
    const random = createRandom(20);
    const cuts = Array.from({ length: 20 }, () => Math.floor(random() * data.length)).sort((a, b) => a - b);
    const server = await expectRight({
      trick(_request, _index, { sent }) {
        if (cuts.length === 0 || sent < cuts[0]! - 2 ** 20) return undefined;
        return { cutAfter: Math.max(1000, cuts.shift()! - sent) };
      },
    });
    expect(cuts).toEqual([]);
    expect(server.requests.length).toBeGreaterThan(20);
  });

  it.each<[string, Trick]>([
    ['503', { status: 503 }],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '1' } }],
    ['429 with a date', { status: 429, headers: { 'retry-after': new Date(Date.now() + 1500).toUTCString() } }],
    ['500', { status: 500, body: '<h1>no</h1>', headers: { 'content-type': 'text/html' } }],
    ['a stall before the answer', { silent: true }],
    ['a stall within it', { stallAfter: 50_000 }],
    ['a cut at once', { cutAfter: 0 }],
    ['a range of elsewhere', { headers: { 'content-range': `bytes 7-9/${data.length}` } }],
    ['fewer bytes than it says', { headers: { 'transfer-encoding': 'chunked' }, cutAfter: 70_000 }],
    ['a longer Content-Length', { headers: { 'content-length': 9_000_000 }, cutAfter: 1e9 }],
  ])('after %s, at the first request and amid others', async (_, trick) => {
    const started = Date.now();
    const server = await expectRight({ trick: at({ 0: trick, 3: trick }) }, undefined, 1.06);
    expect(server.requests.length).toBeGreaterThan(1);
    if (trick.headers?.['retry-after'] === '1') expect(Date.now() - started).toBeGreaterThan(2000);
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it('where the server gives less of a range than was asked for, and says so', async () => {
    const most = 200_000;
    const server = await expectRight({
      trick(request) {
        const [start = 0, last = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!.slice(1).map(Number);
        if (last - start < most) return undefined;
        request.headers.range = `bytes=${start}-${start + most - 1}`;
        return {};
      },
    });
    expect(server.requests.length).toBeGreaterThan(data.length / most);
  });

  it('where there are no ranges, in one answer', async () => {
    const server = await expectRight({ ranges: false }, undefined, 1);
    expect(server.requests).toHaveLength(1);
  });

  it('where there are no ranges, after a cut and a stall', async () => {
    const trick = at({ 0: { cutAfter: 100_000 }, 1: { stallAfter: 10_000 } });
    const server = await expectRight({ ranges: false, trick });
    expect(server.requests).toHaveLength(3);
  });

  it('where nothing tells one version of it from another: in one answer', async () => {
    const server = await expectRight({ version: () => ({}) });
    expect(server.requests.map((request) => request.split(' ')[2])).toEqual([
      expect.stringMatching(/^bytes=0-/),
      undefined,
    ]);
  });

  it('where it is compressed on the way', async () => {
    const packed = gzipSync(data);
    const server = await serveHostile(packed, {
      ranges: false,
      trick: () => ({ headers: { 'content-encoding': 'gzip' } }),
    });
    expect(await load(server.url)).toBe(sha(bodyOf(data)));
    expect(server.requests).toHaveLength(1);
  });

  it('where it was changed before the whole of it came', async () => {
    const trick = (_: unknown, index: number, server: Hostile): Trick | undefined => {
      if (index === 1) server.data = other;
      return index === 0 ? { cutAfter: 3_000_000 } : undefined;
    };
    const server = await serveHostile(data, { ranges: false, version: () => ({}), trick });
    expect(await load(server.url)).toBe(sha(bodyOf(other)));
  });

  it('where a reader leaps about, for the bytes of little more than the file', async () => {
    const large = new Uint8Array(24 * 2 ** 20).map((_, i) => (i * 2654435761) >>> 24);
    const server = await serveHostile(large);
    const source = await urlSource(server.url);
    const random = createRandom(3);
    for (let i = 0; i < 20; i++) {
      const start = Math.floor(random() * (large.length - 5000));
      const got = await source.slice(start, start + 1 + Math.floor(random() * 5000));
      expect(Buffer.compare(got, large.subarray(start, start + got.length))).toBe(0);
    }
    expect(server.sent).toBeLessThan(600_000);
    const hash = createHash('sha256');
    for (let start = 0; start < large.length; start += 777_777)
      for await (const chunk of source.stream(start, Math.min(start + 777_777, large.length))) hash.update(chunk);
    expect(hash.digest('hex')).toBe(sha(large));
    expect(server.sent).toBeLessThan(1.05 * large.length);
  });

  it('for a reader that rests after each tensor, and is fetched ahead of no further than memory goes', async () => {
    const large = new Uint8Array(40 * 2 ** 20).map((_, i) => (i * 2654435761) >>> 24);
    const server = await serveHostile(large);
    const source = await urlSource(server.url);
    const hash = createHash('sha256');
    for (let start = 0; start < large.length; start += 3_333_333) {
      const end = Math.min(start + 3_333_333, large.length);
      for await (const chunk of source.stream(start, end)) hash.update(chunk);
      await sleep(100);
      if (start === 0) expect(server.sent).toBeLessThan(end + 26 * 2 ** 20); // what sockets hold included
    }
    expect(hash.digest('hex')).toBe(sha(large));
    expect(server.sent).toBe(large.length);
  });

  it('keeps what was fetched ahead until the load is done, and nothing then', async () => {
    const ahead = ({ headers }: IncomingMessage): boolean => Number(/\d+/.exec(headers.range!)![0]) >= 2 ** 20;
    const server = await serveHostile(data, { trick: (request) => (ahead(request) ? { stallAfter: 9 } : undefined) });
    const done = new AbortController();
    const source = await urlSource(server.url, { loaded: done.signal, network: { stall: 60_000 } });
    expect(await source.slice(0, 700_000)).toHaveLength(700_000);
    await expect.poll(() => server.requests.length).toBeGreaterThan(2);
    expect(server.hungUp).toBe(0);
    done.abort();
    await expect.poll(() => server.hungUp).toBeGreaterThan(0);
  });

  it.each([
    ['that has room in memory', 1],
    ['that has not', 8],
  ])('of an ONNX file %s, its tensors read after all else', async (_, scale) => {
    const random = createRandom(5);
    const sizes = [5, 400_000, 3, 60_000, 1_200_000, 9000, 40, 2_000_000, 250_000, 700_000, 2, 900_000];
    const tensors = sizes.map((size, i) => {
      const raw = Uint8Array.from({ length: size < 1e5 ? size : size * scale }, () => random() * 256);
      return { name: `w${i}`, type: 'uint8' as const, dims: [raw.length], raw };
    });
    const nodes = Array.from({ length: 300 }, (_, i) => node('Relu', [i ? `x${i - 1}` : 'x'], [`x${i}`]));
    const file = encodeModel({ nodes, outputs: [['x299', 'uint8']], initializers: tensors });
    const server = await serveHostile(file);
    const folder = await openFolder(server.url.replace('model.safetensors', 'model.onnx'));
    const { graph } = await openOnnx(folder, 'model.onnx');
    for (const [i, { source }] of graph.initializers.entries()) {
      const hash = createHash('sha256');
      for await (const chunk of source!.chunks()) hash.update(chunk);
      expect(hash.digest('hex')).toBe(sha(tensors[i]!.raw));
    }
    expect(server.sent).toBeLessThan(1.05 * file.length);
  });

  it('for two readers at a time, far from each other', async () => {
    const large = new Uint8Array(40 * 2 ** 20).map((_, i) => (i * 2654435761) >>> 24);
    const source = await urlSource((await serveHostile(large)).url);
    const read = async (start: number, end: number): Promise<string> => {
      const hash = createHash('sha256');
      for await (const chunk of source.stream(start, end)) {
        hash.update(chunk);
        await sleep(1);
      }
      return hash.digest('hex');
    };
    const halves = [
      [0, 20 * 2 ** 20 + 7],
      [20 * 2 ** 20 + 7, large.length],
      [5_000_000, 25_000_000],
    ] as const;
    const hashes = await Promise.all(halves.map(([start, end]) => read(start, end)));
    expect(hashes).toEqual(halves.map(([start, end]) => sha(large.subarray(start, end))));
  });
});

describe('a file behind a URL fails by name', () => {
  it.each<[string, Uint8Array, HostileOptions['version']]>([
    ['of the same size', other, undefined],
    ['of the same size, told by its date', other, (file) => ({ 'last-modified': file === data ? 'then' : 'now' })],
    ['of another size', data.slice(0, -1000), undefined],
    ['of another size, whose version is not told', data.slice(1000), (file) => ({ etag: file === data ? 'a' : '' })],
  ])('when it becomes another %s', async (_, next, version) => {
    for (const [request, cut] of [
      [1, undefined],
      [2, undefined],
      [3, undefined],
      [4, 10_000],
    ] as const) {
      const trick = (_request: unknown, index: number, server: Hostile): Trick | undefined => {
        if (index === request) server.data = next;
        return cut && index === request - 1 ? { cutAfter: cut } : undefined;
      };
      const server = await serveHostile(data, { ...(version && { version }), trick });
      await expectError(() => load(server.url), 'file-changed', /^http.*model\.safetensors: the file changed/);
    }
  });

  it.each<[string, Trick, RegExp]>([
    ['503', { status: 503 }, /model\.safetensors: the server answered 503 Service Unavailable, tried 3 times/],
    ['cuts', { cutAfter: 100 }, /model\.safetensors: .*(terminated|closed).*, tried 3 times/],
    [
      'a range of elsewhere',
      { headers: { 'content-range': `bytes 7-9/${data.length}` } },
      /the server answered 206 bytes 7-9/,
    ],
    [
      'no range',
      { headers: { 'content-range': 'none' } },
      /asked for bytes \d+ to \d+ of \d+, the server answered 206 none/,
    ],
  ])('after always %s', async (_, trick, message) => {
    const server = await serveHostile(data, { trick: always(trick) });
    await expectError(() => load(server.url, { retries: 2 }), 'network', message);
  });

  it('when a range is answered with the whole, or with more than was asked for', async () => {
    const server = await serveHostile(data);
    const answering = (answer: (response: Response) => Response | Promise<Response>): NetworkOptions => ({
      retries: 1,
      fetch: async (url, init) => {
        const { Range: range } = init.headers as Record<string, string>;
        return range!.startsWith('bytes=0-') ? fetch(url, init) : answer(await fetch(url, init));
      },
    });
    const whole = answering((response) => fetch(response.url));
    await expectError(
      () => load(server.url, whole),
      'network',
      /the server answered 200 without Content-Range, tried 2/,
    );
    const more = answering(async (response) => {
      const body = [new Uint8Array(await response.arrayBuffer()), new Uint8Array(1)];
      return new Response(new Blob(body), { status: 206, headers: response.headers });
    });
    const got = await load(server.url, more).catch(({ code }) => code);
    expect([sha(bodyOf(data)), 'network']).toContain(got); // what comes after the last byte may be left alone
  });

  it.each<[string, Trick]>([
    ['before an answer', { silent: true }],
    ['within an answer', { stallAfter: 2000 }],
  ])('when nothing comes any more, %s', async (_, trick) => {
    for (const from of [0, 1]) {
      const server = await serveHostile(data, { trick: always(trick, from) });
      const started = Date.now();
      await expectError(() => load(server.url), 'network', /nothing came for 800 ms, tried 2 times/);
      expect(Date.now() - started).toBeLessThan(2 * STALL + 1500);
    }
  });

  it.each([403, 404, 410, 400])('at once where the answer is %d', async (status) => {
    const server = await serveHostile(data, { trick: always({ status }) });
    const code = status === 404 || status === 410 ? 'not-found' : 'network';
    const started = Date.now();
    await expectError(() => load(server.url), code, RegExp(`model\\.safetensors: the server answered ${status}`));
    expect(Date.now() - started).toBeLessThan(1500);
    expect(server.requests.length).toBeLessThan(7); // those that were under way
  });

  it('where a page comes in its place, with its type', async () => {
    const page: Trick = { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<p>Sign in' };
    for (const from of [0, 2]) {
      const server = await serveHostile(data, { trick: always(page, from) });
      const message =
        /model\.safetensors: the server answered 200 OK with an HTML page \(content-type text\/html; charset=utf-8\)/;
      await expectError(() => load(server.url), 'not-found', message);
    }
  });

  it('where the server asks to come again in an hour', async () => {
    const server = await serveHostile(data, { trick: always({ status: 429, headers: { 'retry-after': '3600' } }, 0) });
    await expectError(() => load(server.url), 'network', /answered 429 Too Many Requests: come again in 3600 s/);
    expect(server.requests).toHaveLength(1);
  });

  it('and nothing of it goes on then', async () => {
    const trick = (_: unknown, index: number): Trick | undefined =>
      index === 3 ? { status: 404 } : index > 0 ? { stallAfter: 1000 } : undefined;
    const server = await serveHostile(data, { trick });
    await expectError(() => load(server.url, { stall: 5000 }), 'not-found');
    await expect.poll(() => server.hungUp).toBeGreaterThan(0);
    await sleep(300); // the server sees a request after the client has sent it, and may see its end first
    const count = server.requests.length;
    await sleep(700);
    expect(server.requests).toHaveLength(count);
  });
});

describe('an abort ends it at once', () => {
  it.each<[string, Trick]>([
    ['a wait', { status: 503, headers: { 'retry-after': '20' } }],
    ['a request', { silent: true }],
    ['an answer', { stallAfter: 1000 }],
  ])('in %s', async (_, trick) => {
    for (const from of [0, 1]) {
      const server = await serveHostile(data, { trick: always(trick, from) });
      const controller = new AbortController();
      const work = load(server.url, { stall: 20_000 }, controller.signal);
      await expect.poll(() => server.requests.length).toBeGreaterThan(from);
      await sleep(50);
      const started = Date.now();
      controller.abort();
      await expectError(() => work, 'aborted');
      expect(Date.now() - started).toBeLessThan(1000); // 200 on a machine that is idle
      await sleep(100); // what was sent before may not have come yet
      const count = server.requests.length;
      await sleep(300);
      expect(server.requests).toHaveLength(count);
    }
  });
});

describe('options of the network', () => {
  it('are refused where they are not known, whatever is loaded', async () => {
    const open = (network: object) => openFolder({ 'config.json': new Blob(['{}']) }, { network });
    await expectError(() => open({ retry: 3 }), 'invalid-argument', /network: there is no option retry \(got 3\)/);
    await expectError(() => open({ retries: -1 }), 'invalid-argument', /retries: expected an integer from 0/);
    await expectError(() => open({ stall: 0 }), 'invalid-argument', /stall: expected an integer from 1/);
    await expectError(() => open({ fetch: 'x' }), 'invalid-argument', /fetch: expected a function/);
    await expectError(() => open({ headers: { a: 1 } }), 'invalid-argument', /headers: expected an object of a string/);
    await expectError(() => open({ headers: { RANGE: 'bytes=0-' } }), 'invalid-argument', /for the engine to send/);
    await open({ retries: 0, stall: 1 });
  });

  it('go with every request', async () => {
    const seen = new Set<string | undefined>();
    const server = await serveHostile(data, {
      trick(request) {
        seen.add(request.headers.authorization);
        return undefined;
      },
    });
    let calls = 0;
    const network: NetworkOptions = {
      headers: { Authorization: 'Bearer x' },
      fetch(url, init) {
        calls++;
        return fetch(url, init);
      },
    };
    expect(await load(server.url, network)).toBe(sha(bodyOf(data)));
    expect([...seen]).toEqual(['Bearer x']);
    expect(calls).toBe(server.requests.length);
  });

  it('a fetch of the caller’s that minds no signal is left behind', async () => {
    const network: NetworkOptions = { stall: 200, fetch: () => new Promise(() => {}) };
    await expectError(() => urlSource('http://127.0.0.1/x', { network }), 'network', /nothing came for 200 ms/);
  });
});
