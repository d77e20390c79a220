import { mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSource } from '../../src/hub/path.ts';
import { blobSource, byteSource, bytesSource, MAX_CHUNK } from '../../src/hub/source.ts';
import { bytesOf, expectError } from '../formats/files.ts';
import { pattern } from './server.ts';

const padded = pattern(2 * MAX_CHUNK + 1002);
const data = padded.slice(1);
let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tilewright-'));
  path = join(folder, 'data.bin');
  await writeFile(path, data);
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([
  ['bytesSource of an array', async () => bytesSource('data.bin', data)],
  ['bytesSource of a part of a buffer', async () => bytesSource('data.bin', padded.subarray(1))],
  ['bytesSource of a buffer', async () => bytesSource('data.bin', data.buffer)],
  ['blobSource', async () => blobSource('data.bin', new Blob([data]))],
  ['fileSource', () => fileSource(path)],
])('%s', (_, make) => {
  it('gives any range, in chunks of at most 4 MiB', async () => {
    const source = await make();
    expect(source).toMatchObject({ name: 'data.bin', size: data.length });
    expect(Buffer.compare(await source.slice(0, data.length), data)).toBe(0);
    expect(await source.slice(3, 3)).toHaveLength(0);
    expect(await source.slice(data.length - 5, data.length)).toEqual(data.slice(-5));
    const sizes: number[] = [];
    for await (const chunk of source.stream(7, data.length)) sizes.push(chunk.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(data.length - 7);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_CHUNK);
  });

  it('refuses a range outside the file', async () => {
    const source = await make();
    for (const [start, end] of [
      [-1, 2],
      [2, 1],
      [0, data.length + 1],
      [0, Number.NaN],
    ] as const) {
      await expectError(() => source.slice(start, end), 'invalid-file', /were asked for, the file has 8389609 bytes/);
    }
  });

  it('stops between chunks when aborted', async () => {
    const source = await make();
    const controller = new AbortController();
    let got = 0;
    await expectError(
      async () => {
        for await (const chunk of source.stream(0, data.length, controller.signal)) {
          got += chunk.length;
          controller.abort();
        }
      },
      'aborted',
      /data\.bin/,
    );
    expect(got).toBeGreaterThan(0);
    expect(got).toBeLessThanOrEqual(MAX_CHUNK);
    await expectError(() => source.slice(0, 1, controller.signal), 'aborted');
  });
});

describe('blobSource', () => {
  /** A Blob whose streams give so many bytes each, and then neither more nor an end, as Chromium's do now and then. */
  const stuckAfter = (bytes: number, size: number, whole = new Blob([data.slice(0, size)])): Blob =>
    Object.defineProperty(new Blob([data]), 'slice', {
      value: (start: number, end: number) => {
        const part = whole.slice(start, end);
        const head = part.slice(0, bytes).stream();
        const stuck = new TransformStream({ flush: () => new Promise(() => {}) });
        return Object.assign(part, { stream: () => head.pipeThrough(stuck) });
      },
    });

  it.each([0, 1, 1000, 200_000])('reads on where a stream gives nothing after %i bytes', async (bytes) => {
    const source = blobSource('data.bin', stuckAfter(bytes, data.length));
    expect(await source.slice(5, 300_006)).toEqual(data.slice(5, 300_006));
  });

  it('tells of a file that became shorter', async () => {
    const source = blobSource('data.bin', stuckAfter(0, 1000));
    await expectError(() => source.slice(0, 2000), 'invalid-file', /expected 2000 bytes, got 1000/);
  });
});

describe('byteSource', () => {
  const giving = (...lengths: number[]) =>
    byteSource(
      'short',
      10,
      async function* () {
        for (const length of lengths) yield new Uint8Array(length);
      },
      'network',
    );

  it('never gives fewer or more bytes than promised', async () => {
    await expectError(() => giving(4, 5).slice(0, 10), 'network', /expected 10 bytes, got 9/);
    await expectError(() => bytesOf(giving(4, 7).stream(0, 10)), 'network', /expected 10 bytes, got 11/);
    expect(await giving(4, 6).slice(0, 10)).toHaveLength(10);
  });

  it('names the failure of its medium', async () => {
    const broken = byteSource('broken', 10, async function* () {
      yield new Uint8Array(1);
      throw new Error('the cable is out');
    });
    await expectError(() => bytesOf(broken.stream(2, 9)), 'invalid-file', /broken: reading bytes 2 to 9.*cable is out/);
  });
});

describe('fileSource', () => {
  /** Files of the folder that this process has open. */
  async function openHandles(): Promise<string[]> {
    const names = await readdir('/proc/self/fd');
    const { readlink } = await import('node:fs/promises');
    const targets = await Promise.all(names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return targets.filter((target) => target.startsWith(folder));
  }

  it.skipIf(process.platform !== 'linux')('has the file open only while it is read (seen in /proc)', async () => {
    const source = await fileSource(path);
    expect(await openHandles()).toEqual([]);

    for await (const _ of source.stream(0, data.length)) {
      expect(await openHandles()).toEqual([path]);
      break;
    }
    expect(await openHandles(), 'after a break').toEqual([]);

    const controller = new AbortController();
    const stream = source.stream(0, data.length, controller.signal)[Symbol.asyncIterator]();
    await stream.next();
    controller.abort();
    await expectError(() => stream.next(), 'aborted');
    expect(await openHandles(), 'after an abort').toEqual([]);

    await source.slice(0, data.length);
    expect(await openHandles(), 'after the end').toEqual([]);
  });

  it('says when a file is not there, is a folder, or was cut short meanwhile', async () => {
    await expectError(() => fileSource(join(folder, 'none.bin')), 'not-found', /none\.bin.*ENOENT/);
    await expectError(() => fileSource(folder), 'not-found', /is not a file/);
    const cut = join(folder, 'cut.bin');
    await writeFile(cut, data.subarray(0, 100));
    const source = await fileSource(cut);
    await truncate(cut, 60);
    await expectError(() => source.slice(50, 100), 'invalid-file', /expected 50 bytes, got 10/);
    await rm(cut);
    await expectError(() => source.slice(50, 100), 'invalid-file', /ENOENT/);
  });

  it('reads beyond 2 GiB', async () => {
    const large = join(folder, 'large.bin');
    const handle = await open(large, 'w');
    const at = 2 ** 32 + 5;
    await handle.write(new Uint8Array([1, 2, 3]), 0, 3, at);
    await handle.close();
    const source = await fileSource(large);
    expect(source.size).toBe(at + 3);
    expect(await source.slice(at - 1, at + 3)).toEqual(new Uint8Array([0, 1, 2, 3]));
    await rm(large);
  });
});
