import { expect, it, onTestFinished, vi } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { clear, list, remove, usage } from '../../src/hub/cache/index.ts';
import { openFolder, readJson } from '../../src/hub/folder.ts';
import type { Progress } from '../../src/tensor/progress.ts';
import { createRandom } from '../../src/text/random.ts';
import { BASE, type FakeHub, fakeHub } from './fake-hub.ts';

const MB = 2 ** 20;
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** What of the platform a test needs. */
export interface Place {
  /** Cuts a part of a file in the cache short, or adds to it. */
  damage(part: number, change: 'shorter' | 'longer' | 'empty'): Promise<void>;
  /** Lets every write fail from the `after`-th on, until the test ends. */
  failWrites(after: number): void;
}

/** 16.3 MB: more than is in memory at a time. */
function checkpoint(seed: number): Uint8Array<ArrayBuffer> {
  const random = createRandom(seed);
  const sizes = [300_000, 12, 6_200_000, 40, 4_500_000, 90_000, 5_050_000, 64, 150_000];
  return encodeSafetensors(
    sizes.map((size, i) => {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 7) bytes[at] = random() * 256;
      return { name: `${i}.weight`, storedType: 'U8' as const, shape: [size], bytes };
    }),
  ) as Uint8Array<ArrayBuffer>;
}

const [first, second] = [checkpoint(1), checkpoint(2)];

export const sha256 = async (bytes: Uint8Array): Promise<string> =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');

const bodyOf = (file: Uint8Array): Uint8Array =>
  file.subarray(8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)));

function hubWith(revision = 'main', data = first, name = 'org/model'): FakeHub {
  const hub = fakeHub();
  publish(hub, data, '"1"', revision, name);
  hub.files.set(`${name}/resolve/${revision}/config.json`, {
    data: new TextEncoder().encode('{"a":1}'),
    etag: 'W/"c"',
  });
  return hub;
}

const publish = (
  hub: FakeHub,
  data: Uint8Array<ArrayBuffer>,
  etag: string | undefined,
  revision = 'main',
  name = 'org/model',
): unknown => hub.files.set(`${name}/resolve/${revision}/model.safetensors`, { data, etag });

interface Options {
  cache?: boolean;
  sha256?: Record<string, string>;
  signal?: AbortSignal;
  retries?: number;
  tensors?: readonly string[];
  onProgress?: (progress: Progress) => void;
}

/** The sha256 of all tensors, read as a load reads them, with a config and a file that is not there. */
async function load(
  hub: FakeHub,
  name = 'org/model',
  { tensors: wanted, retries = 0, ...more }: Options = {},
): Promise<string> {
  const done = new AbortController();
  try {
    const network = { base: BASE, fetch: hub.fetch, retries };
    const folder = await openFolder(name, { network, loaded: done.signal, ...more });
    const { tensors } = await openCheckpoint(folder, more.signal);
    expect(await readJson(folder, 'config.json')).toEqual({ a: 1 });
    expect(await folder.find('tokenizer.json')).toBeUndefined();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const [name, tensor] of tensors)
      if (wanted?.includes(name) ?? true)
        for await (const chunk of tensor.chunks(more.signal)) parts.push(chunk.slice());
    await folder.finish?.(more.signal);
    return await sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
  } finally {
    done.abort();
  }
}

/** Loads a model twice, whatever becomes of the cache. */
export async function loadTwice(name: string): Promise<void> {
  const hub = hubWith('main', first, name);
  expect(await load(hub, name)).toBe(await right());
  expect(await load(hub, name)).toBe(await right());
}

/** Bytes and requests that the work takes of the hub. */
async function costOf(hub: FakeHub, work: () => Promise<unknown>): Promise<{ bytes: number; requests: string[] }> {
  const [bytes, requests] = [hub.sent, hub.requests.length];
  await work();
  return { bytes: hub.sent - bytes, requests: hub.requests.slice(requests) };
}

async function fails(work: () => Promise<unknown>, code: string, message?: RegExp): Promise<TilewrightError> {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TilewrightError);
  expect((error as TilewrightError).code).toBe(code);
  if (message) expect((error as TilewrightError).message).toMatch(message);
  return error as TilewrightError;
}

function warnings(): string[] {
  const texts: string[] = [];
  const spy = vi.spyOn(console, 'warn').mockImplementation((text: string) => void texts.push(text));
  onTestFinished(() => spy.mockRestore());
  return texts;
}

const right = (data = first): Promise<string> => sha256(bodyOf(data));

/** What the cache does, on any store. Each test begins with an empty one. */
export function cacheCases(place: Place): void {
  it('a second load asks once for each file, under a condition, and fetches nothing', async () => {
    const hub = hubWith();
    const once = await costOf(hub, async () => expect(await load(hub)).toBe(await right()));
    expect(once.bytes).toBe(first.length + 7 /* config.json */);
    const again = await costOf(hub, async () => expect(await load(hub)).toBe(await right()));
    expect(again.bytes).toBe(0);
    expect(again.requests.map((request) => request.replace(/.*\/(\S+) \S+/, '$1'))).toEqual([
      'model.safetensors if-none-match',
      'config.json if-none-match',
      'tokenizer.json',
    ]);
  });

  it('of a commit the second load asks for nothing', async () => {
    const hub = hubWith(COMMIT);
    const name = `org/model@${COMMIT}`;
    await load(hub, name);
    const { requests } = await costOf(hub, async () => expect(await load(hub, name)).toBe(await right()));
    expect(requests).toEqual([]);
  });

  it('a load without a network takes what is there', async () => {
    const hub = hubWith();
    await load(hub);
    hub.offline = true;
    expect(await load(hub)).toBe(await right());
    await fails(() => load(hub, 'org/other'), 'network');
    await fails(() => load(hub, 'org/model', { cache: false }), 'network');
  });

  it.each<[string, (hub: FakeHub) => Promise<unknown>]>([
    [
      'cut',
      async (hub) => {
        hub.cutAt = 9 * MB;
        await fails(() => load(hub), 'network');
        hub.cutAt = Number.POSITIVE_INFINITY;
      },
    ],
    [
      'aborted',
      async (hub) => {
        const stop = new AbortController();
        const onProgress = ({ loaded }: Progress): void => {
          if (loaded > 9 * MB) stop.abort();
        };
        await fails(() => load(hub, 'org/model', { signal: stop.signal, onProgress }), 'aborted');
      },
    ],
  ])('a load that was %s goes on with what is there', async (_, broken) => {
    const hub = hubWith();
    await broken(hub);
    const before = hub.sent;
    expect(before).toBeGreaterThan(8 * MB);
    await expect.poll(async () => (await list())[0]?.bytes ?? 0).toBeGreaterThan(4 * MB);
    expect((await list())[0]?.complete).toBe(false);
    const { bytes } = await costOf(hub, async () => expect(await load(hub)).toBe(await right()));
    expect(bytes).toBeLessThan(first.length - 4 * MB);
    expect((await list())[0]?.complete).toBe(true);
  });

  it('another ETag is another file: nothing of the old one is taken or kept', async () => {
    const hub = hubWith();
    await load(hub);
    publish(hub, second, '"2"');
    const { bytes } = await costOf(hub, async () => expect(await load(hub)).toBe(await right(second)));
    expect(bytes).toBe(second.length);
    const [model] = await list();
    expect(model!.files.find(({ name }) => name === 'model.safetensors')).toMatchObject({
      bytes: second.length,
      complete: true,
    });
    expect(await load(hub)).toBe(await right(second));
  });

  it('a file that changes while it is read is an error, and then another file', async () => {
    const hub = hubWith();
    const onProgress = ({ loaded }: Progress): void => {
      if (loaded > 6 * MB) publish(hub, second, '"2"');
    };
    await fails(() => load(hub, 'org/model', { onProgress }), 'file-changed');
    expect(await load(hub)).toBe(await right(second));
    expect((await costOf(hub, () => load(hub))).bytes).toBe(0);
  });

  it('parts of another length are fetched again, and those alone', async () => {
    const hub = hubWith();
    await load(hub);
    await place.damage(3, 'shorter');
    await place.damage(5, 'longer');
    await place.damage(9, 'empty');
    const { bytes } = await costOf(hub, async () => expect(await load(hub)).toBe(await right()));
    expect(bytes).toBe(3 * MB);
    expect((await costOf(hub, () => load(hub))).bytes).toBe(0);
  });

  it('a cache that can be written no more is told of once, and the load goes on', async () => {
    const hub = hubWith();
    const texts = warnings();
    place.failWrites(6);
    expect(await load(hub)).toBe(await right());
    expect(hub.sent).toBe(first.length + 7);
    expect(texts).toEqual([expect.stringMatching(/org\/model@main is not kept in the cache, and loads without it: /)]);
  });

  it('two loads at once are right, and leave a file that is whole', async () => {
    const hub = hubWith();
    const expected = await right();
    expect(await Promise.all([load(hub), load(hub), load(hub)])).toEqual([expected, expected, expected]);
    expect((await list())[0]).toMatchObject({ name: 'org/model@main', complete: true, bytes: first.length + 7 });
    expect((await costOf(hub, () => load(hub))).bytes).toBe(0);
  });

  it('a file whose server does not tell its version is not kept, which is told once', async () => {
    const hub = hubWith();
    publish(hub, first, undefined);
    const texts = warnings();
    await load(hub);
    expect(await load(hub)).toBe(await right());
    expect(texts).toEqual([expect.stringMatching(/model.safetensors is not kept.*neither ETag nor Last-Modified/)]);
    expect((await list())[0]!.files.map(({ name }) => name)).toEqual(['config.json']);
  });

  it('a file of a server without ranges is kept, and fetched again where a part of it is damaged', async () => {
    const hub = hubWith();
    hub.ranges = false;
    await load(hub);
    expect((await costOf(hub, async () => expect(await load(hub)).toBe(await right()))).bytes).toBe(0);
    await place.damage(4, 'shorter');
    const { bytes } = await costOf(hub, async () => expect(await load(hub)).toBe(await right()));
    expect(bytes).toBe(first.length);
  });

  it('what was not read is fetched at the end, so that another load finds it', async () => {
    const hub = hubWith();
    await load(hub, 'org/model', { tensors: ['4.weight'] });
    hub.offline = true;
    expect(await load(hub)).toBe(await right());
  });

  it('a sha256 is compared: what is wrong is an error and not kept, what is right is compared once', async () => {
    const hub = hubWith();
    const [good, bad] = [await sha256(first), 'ab'.repeat(32)];
    await fails(
      () => load(hub, 'org/model', { sha256: { 'model.safetensors': bad } }),
      'invalid-file',
      new RegExp(`model.safetensors: expected the sha256 ${bad}, got ${good}`),
    );
    expect((await list())[0]?.files.map(({ name }) => name)).toEqual(['config.json']);
    expect(await load(hub, 'org/model', { sha256: { 'model.safetensors': good.toUpperCase() } })).toBe(await right());
    expect((await list())[0]!.files.find(({ name }) => name === 'model.safetensors')!.sha256).toBe(good);
    const { bytes } = await costOf(hub, () => load(hub, 'org/model', { sha256: { 'model.safetensors': good } }));
    expect(bytes).toBe(0);
    await fails(
      () => load(hub, 'org/model', { sha256: { 'other.safetensors': good } }),
      'invalid-argument',
      /reads no file other/,
    );
  });

  it('a sha256 is compared without the cache too, for the bytes of one file', async () => {
    const hub = hubWith();
    const hash = (digits: string): Options => ({ cache: false, sha256: { 'model.safetensors': digits } });
    await fails(() => load(hub, 'org/model', hash('ab'.repeat(32))), 'invalid-file');
    const { bytes } = await costOf(hub, async () => load(hub, 'org/model', hash(await sha256(first))));
    expect(bytes).toBe(first.length + 7);
  });

  it('what the hub says that a file hashes to is compared', async () => {
    const hub = hubWith();
    hub.headers['x-linked-etag'] = `"${'cd'.repeat(32)}"`;
    await fails(() => load(hub), 'invalid-file', /expected the sha256 (cd){32}/);
  });

  it('progress counts the bytes of all files, and those that came from the cache', async () => {
    const hub = hubWith();
    const last = async (): Promise<Progress | undefined> => {
      let latest: Progress | undefined;
      await load(hub, 'org/model', { onProgress: (progress) => (latest = progress) });
      return latest;
    };
    const total = first.length + 7;
    expect(await last()).toMatchObject({ phase: 'fetch', loaded: total, total, cached: 0 });
    expect(await last()).toMatchObject({ phase: 'fetch', loaded: total, total, cached: total });
  });

  it('plain URLs are kept where that is asked for', async () => {
    const hub = hubWith();
    const url = `${BASE}/org/model/resolve/main/`;
    await load(hub, url);
    expect(await list()).toEqual([]);
    await load(hub, url, { cache: true });
    expect((await list())[0]).toMatchObject({ name: url, from: url, complete: true });
    expect((await costOf(hub, () => load(hub, url, { cache: true }))).bytes).toBe(0);
    expect(await remove(url.slice(0, -1))).toBe(2);
    expect(await list()).toEqual([]);
  });

  it('what is kept is listed and removed', async () => {
    const started = Date.now();
    await load(hubWith());
    await load(hubWith('v2', second), 'org/model@v2');
    const models = await list();
    expect(models.map(({ name, from, complete }) => [name, from, complete])).toEqual([
      ['org/model@v2', BASE, true],
      ['org/model@main', BASE, true],
    ]);
    expect(models[0]!.used.getTime()).toBeGreaterThanOrEqual(started);
    expect(models[0]!.files.map(({ name, bytes, size }) => [name, bytes, size])).toEqual([
      ['config.json', 7, 7],
      ['model.safetensors', second.length, second.length],
    ]);
    expect((await usage()).bytes).toBe(first.length + second.length + 14);
    expect(await remove('org/none')).toBe(0);
    expect(await remove(models[0]!.files[0]!.url)).toBe(1);
    expect(await remove('org/model@main')).toBe(2);
    expect((await list()).map(({ name }) => name)).toEqual(['org/model@v2']);
    expect(await remove('org/model')).toBe(1);
    await load(hubWith());
    expect(await clear()).toBe(2);
    expect(await list()).toEqual([]);
  });
}
