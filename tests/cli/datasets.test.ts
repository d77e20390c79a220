import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, openDataset, type Sample } from '../../src/cli/datasets.ts';

const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** A PNG of one colour, told by its red byte. */
function png(red: number): Promise<Buffer> {
  return sharp(Uint8Array.of(red, 2, 3), { raw: { width: 1, height: 1, channels: 3 } })
    .png()
    .toBuffer();
}

async function samples(dataset: Dataset): Promise<Sample[]> {
  const all: Sample[] = [];
  for await (const sample of dataset) all.push(sample);
  expect(all).toHaveLength(dataset.count);
  return all;
}

const reds = (all: readonly Sample[]): number[] => all.map(({ picture }) => picture.data[0]!);
const labelsOf = (all: readonly Sample[]): number[] => all.map(({ label }) => label);

/** Path in the set, red byte. Cats before ants, so that the order of the names is not that of the archive. */
const PICTURES: readonly [string, number][] = [
  ['test/cat/0.png', 10],
  ['test/cat/1.png', 11],
  ['test/cat/2.PNG', 12],
  ['test/ant/0.png', 20],
  ['test/ant/1.png', 21],
  ['bee/0.png', 30],
];
const STRAY = ['cover.png', 'test/cat/notes.txt', 'test/cat/._0.png'];

beforeAll(async () => {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(at('set.tar')));
  const write = (name: string, bytes: Buffer): void => {
    mkdirSync(dirname(at(`set/${name}`)), { recursive: true });
    writeFileSync(at(`set/${name}`), bytes);
    archive.entry({ name: `./${name}` }, bytes);
  };
  archive.entry({ name: './test/cat', type: 'directory' });
  for (const [name, red] of PICTURES) write(name, await png(red));
  for (const name of STRAY) write(name, Buffer.from('not a picture'));
  archive.finalize();
  await written;
  writeFileSync(at('set.tar.gz'), gzipSync(readFileSync(at('set.tar'))));
  writeFileSync(at('set.tgz'), gzipSync(readFileSync(at('set.tar'))));
});

describe('a folder a class', () => {
  it('is read from a folder, sorted', async () => {
    const dataset = await openDataset(at('set'));
    expect(dataset).toMatchObject({ count: 6, total: 6, labels: ['ant', 'bee', 'cat'] });
    const all = await samples(dataset);
    expect(reds(all)).toEqual([30, 20, 21, 10, 11, 12]);
    expect(labelsOf(all)).toEqual([1, 0, 0, 2, 2, 2]);
    expect(all[0]!.name).toBe('bee/0.png');
  });

  it.each(['set.tar', 'set.tar.gz', 'set.tgz'])('is read from %s, in its order', async (name) => {
    const dataset = await openDataset(at(name));
    expect(dataset).toMatchObject({ count: 6, total: 6, labels: ['ant', 'bee', 'cat'] });
    const all = await samples(dataset);
    expect(reds(all)).toEqual(PICTURES.map(([, red]) => red));
    expect(labelsOf(all)).toEqual([2, 2, 2, 0, 0, 1]);
    expect(all[0]!.name).toBe('test/cat/0.png');
    expect(await samples(dataset)).toEqual(all); // and once more
  });

  it("takes the model's order of labels", async () => {
    const labels = ['dog', 'cat', 'bee', 'ant'];
    for (const name of ['set', 'set.tar']) {
      const dataset = await openDataset(at(name), labels);
      expect(dataset.labels).toBe(labels);
      for (const { label, name } of await samples(dataset)) expect(name).toContain(labels[label]);
    }
  });

  it('refuses a class that the model lacks', async () => {
    const failure = {
      code: 'invalid-argument',
      message: expect.stringMatching(/bee\/0.png is of class bee, .*cat, ant/),
    };
    await expect(openDataset(at('set.tar'), ['cat', 'ant'])).rejects.toMatchObject(failure);
  });

  it('may be left half-way', async () => {
    for await (const { name } of await openDataset(at('set.tar.gz'))) {
      expect(name).toBe('test/cat/0.png');
      break;
    }
  });

  it('names a picture that cannot be decoded', async () => {
    mkdirSync(at('bad/cat'), { recursive: true });
    writeFileSync(at('bad/cat/x.jpg'), 'no picture');
    const failure = { code: 'invalid-image', message: expect.stringContaining('x.jpg') };
    await expect(openDataset(at('bad')).then(samples)).rejects.toMatchObject(failure);
  });

  it('refuses a folder without class folders', async () => {
    mkdirSync(at('flat'));
    writeFileSync(at('flat/x.png'), await png(1));
    await expect(openDataset(at('flat'))).rejects.toMatchObject({ code: 'invalid-file', hint: expect.any(String) });
  });

  it('refuses broken archives', async () => {
    const whole = readFileSync(at('set.tar.gz'));
    writeFileSync(at('half.tar.gz'), whole.subarray(0, whole.length / 2));
    writeFileSync(at('half.tar'), gunzipSync(whole).subarray(0, 700));
    writeFileSync(at('text.tar.gz'), 'not gzip');
    writeFileSync(at('text.tar'), 'x'.repeat(1024));
    for (const name of ['half.tar.gz', 'half.tar', 'text.tar.gz', 'text.tar']) {
      const failure = { code: 'invalid-file', message: expect.stringContaining(name) };
      await expect(openDataset(at(name)), name).rejects.toMatchObject(failure);
    }
  });
});

describe('limit', () => {
  it('takes an even stride over the whole', async () => {
    for (const name of ['set.tar', 'set']) {
      const dataset = await openDataset(at(name), undefined, { limit: 3 });
      expect(dataset).toMatchObject({ count: 3, total: 6 });
      const all = await samples(await openDataset(at(name)));
      expect(await samples(dataset)).toEqual([all[0], all[2], all[4]]);
    }
    const rounded = await samples(await openDataset(at('set.tar'), undefined, { limit: 4 }));
    expect(reds(rounded)).toEqual([10, 11, 20, 21]);
  });

  it('may exceed the whole', async () => {
    expect(await openDataset(at('set.tar'), undefined, { limit: 99 })).toMatchObject({ count: 6, total: 6 });
  });

  it.each([0, -1, Number.NaN])('refuses %d', async (limit) => {
    await expect(openDataset(at('set'), undefined, { limit })).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('CSV', () => {
  const write = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };

  it('is read as [H,W,C], with headings, blank lines and CRLF', async () => {
    const path = write('rgb.csv', 'label,r,g,b\r\n2,1,2,3\r\n\r\n0, 4, 5, 6\r\n');
    const dataset = await openDataset(path);
    expect(dataset).toMatchObject({ count: 2, labels: undefined });
    const all = await samples(dataset);
    expect(all.map(({ label, name, picture }) => [label, name, [...picture.data]])).toEqual([
      [2, 'rgb.csv:2', [1, 2, 3, 255]],
      [0, 'rgb.csv:4', [4, 5, 6, 255]],
    ]);
  });

  it('tells grey pictures from coloured ones by their size', async () => {
    const [grey] = await samples(await openDataset(write('grey.csv', `7,${Array(784).fill(9).join()}\n`)));
    expect(grey!.picture).toMatchObject({ width: 28, height: 28 });
    expect([...grey!.picture.data.slice(0, 4)]).toEqual([9, 9, 9, 255]);
    const [colour] = await samples(await openDataset(write('colour.csv', `7,${Array(3072).fill(9).join()}\n`)));
    expect(colour!.picture).toMatchObject({ width: 32, height: 32 });
  });

  it.each([
    ['no square', '1,2,3\n', 'line.csv:1: 2 bytes'],
    ['no bytes', '1\n', '0 bytes'],
    ['a byte too large', '1,256\n', 'got 256'],
    ['an empty field', '1,\n', "got ''"],
    ['a negative byte', '1,2\n2,-1\n', "line.csv:2: expected a whole number, got '-1'"],
    ['a label that is no number', '1,2\ncat,2\n', "got 'cat'"],
  ])('refuses %s', async (_, text, message) => {
    const failure = { code: 'invalid-file', message: expect.stringContaining(message) };
    await expect(openDataset(write('line.csv', text)).then(samples)).rejects.toMatchObject(failure);
  });

  it('refuses a label past those of the model', async () => {
    const failure = { code: 'invalid-argument', message: expect.stringContaining('class 2, but the model') };
    await expect(openDataset(write('two.csv', '2,9\n'), ['a', 'b'])).rejects.toMatchObject(failure);
  });

  it('refuses an empty file', async () => {
    await expect(openDataset(write('empty.csv', ''))).rejects.toMatchObject({ code: 'invalid-file' });
  });
});

describe('IDX', () => {
  const bigEndian = (...words: number[]): number[] => words.flatMap((word) => [0, 0, word >> 8, word & 255]);
  const pictures = Uint8Array.from([0, 0, 8, 3, ...bigEndian(2, 1, 3), 1, 2, 3, 4, 5, 6]);
  const labels = Uint8Array.from([0, 0, 8, 1, ...bigEndian(2), 7, 4]);
  const write = (prefix: string, images: Uint8Array, ids: Uint8Array | undefined, gz = ''): string => {
    const path = at(`${prefix}-images-idx3-ubyte${gz}`);
    writeFileSync(path, gz ? gzipSync(images) : images);
    if (ids) writeFileSync(at(`${prefix}-labels-idx1-ubyte`), ids);
    return path;
  };

  it.each(['', '.gz'])('is read with its labels, gzipped or not: %s', async (gz) => {
    const all = await samples(await openDataset(write(`good${gz}`, pictures, labels, gz)));
    expect(labelsOf(all)).toEqual([7, 4]);
    expect(all[1]!.picture).toMatchObject({ width: 3, height: 1 });
    expect([...all[1]!.picture.data]).toEqual([4, 4, 4, 255, 5, 5, 5, 255, 6, 6, 6, 255]);
  });

  it.each([
    ['too short', pictures.subarray(0, -1), labels, 'expected 22 bytes for [2,1,3], got 21'],
    ['of another rank', labels, labels, 'of rank 3'],
    ['empty', new Uint8Array(0), labels, 'expected an IDX file'],
    ['with too few labels', pictures, Uint8Array.from([0, 0, 8, 1, ...bigEndian(1), 7]), '1 labels for the 2 pictures'],
  ])('refuses files %s', async (name, images, ids, message) => {
    const failure = { code: 'invalid-file', message: expect.stringContaining(message) };
    await expect(openDataset(write(name, images, ids))).rejects.toMatchObject(failure);
  });

  it('says that the labels are missing, or the gzip broken', async () => {
    const missing = { code: 'not-found', message: expect.stringContaining('alone-labels-idx1-ubyte') };
    await expect(openDataset(write('alone', pictures, undefined))).rejects.toMatchObject(missing);
    writeFileSync(at('broken-images-idx3-ubyte.gz'), 'not gzip');
    await expect(openDataset(at('broken-images-idx3-ubyte.gz'))).rejects.toMatchObject({ code: 'invalid-file' });
  });
});

describe('openDataset refuses', () => {
  it('what is not there', async () => {
    await expect(openDataset(at('nowhere.tar'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('kinds of file that it does not know', async () => {
    writeFileSync(at('set.zip'), '');
    const failure = { code: 'invalid-argument', hint: expect.stringContaining('.csv') };
    await expect(openDataset(at('set.zip'))).rejects.toMatchObject(failure);
  });
});

const shared = new URL('../../../shared/data/', import.meta.url);
const withoutShared = !existsSync(shared) && !process.env.CI && 'no shared/data beside the repository';
describe(`published sets${withoutShared ? ` (skipped: ${withoutShared})` : ''}`, () => {
  const open = (name: string, limit: number) => openDataset(fileURLToPath(new URL(name, shared)), undefined, { limit });

  it.skipIf(withoutShared)('CIFAR-10 as JPEG: classes in balance, the pixels Pillow decodes', async () => {
    const dataset = await open('cifar10/cifar10_jpeg_test.tar.gz', 50);
    expect(dataset.total).toBe(10_000);
    const all = await samples(dataset);
    expect(labelsOf(all)).toEqual(Array.from({ length: 50 }, (_, k) => Math.floor(k / 5)));
    const rgb = all.flatMap(({ picture }) => [...picture.data].filter((_, i) => i % 4 !== 3));
    const digest = createHash('sha256').update(Uint8Array.from(rgb)).digest('hex');
    expect(digest).toBe('05fd835b3822b579505eabee6fe36305be8220261cb7e85143bd27f98902365e'); // Pillow 12.3, libjpeg-turbo 3.1
  });

  it.skipIf(withoutShared)('CIFAR-10 as CSV', async () => {
    const dataset = await open('cifar10/cifar10_test_first100.csv', 100);
    const [first] = await samples(dataset);
    expect(first).toMatchObject({ label: 3, picture: { width: 32, height: 32 } });
    expect([...first!.picture.data.slice(0, 8)]).toEqual([158, 112, 49, 255, 159, 111, 47, 255]);
  });

  it.skipIf(withoutShared)('Fashion-MNIST as IDX', async () => {
    const dataset = await open('fashion-mnist/t10k-images-idx3-ubyte.gz', 10);
    expect(dataset).toMatchObject({ count: 10, total: 10_000 });
    const [first] = await samples(dataset);
    expect(first).toMatchObject({ label: 9, picture: { width: 28, height: 28 } }); // an ankle boot
  });
});
