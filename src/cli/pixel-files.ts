import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { TilewrightError } from '../errors.ts';
import type { Picture } from '../vision/preprocess.ts';
import type { Listing } from './listing.ts';
import { pictureFrom } from './pictures.ts';

/** A CSV of `label,byte,byte,...`, one square picture a line, with or without a line of headings. */
export async function listCsv(path: string): Promise<Listing> {
  const items: { name: string; label: number }[] = [];
  for await (const { name, fields } of csvRows(path)) items.push({ name, label: csvInteger(name, fields[0]!) });
  return {
    items,
    async *read(wanted) {
      let position = -1;
      for await (const { name, fields } of csvRows(path)) {
        if (wanted.has(++position)) yield { position, picture: csvPicture(name, fields.slice(1)) };
      }
    },
  };
}

async function* csvRows(path: string): AsyncGenerator<{ name: string; fields: string[] }> {
  const input = createReadStream(path);
  try {
    let line = 0;
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const isHeading = ++line === 1 && !/^\s*\d/.test(text);
      if (!isHeading && text.trim() !== '') yield { name: `${basename(path)}:${line}`, fields: text.split(',') };
    }
  } finally {
    input.destroy();
  }
}

function csvInteger(name: string, field: string): number {
  if (/^\s*\d{1,9}\s*$/.test(field)) return Number(field);
  throw new TilewrightError('invalid-file', `${name}: expected a whole number, got '${field.slice(0, 40)}'`);
}

function csvPicture(name: string, fields: readonly string[]): Picture {
  const channels = fields.length % 3 === 0 && Number.isInteger(Math.sqrt(fields.length / 3)) ? 3 : 1;
  const side = Math.sqrt(fields.length / channels);
  if (!Number.isInteger(side) || side === 0) {
    const expected = 'expected those of a square picture of 1 or 3 channels after the label';
    throw new TilewrightError('invalid-file', `${name}: ${fields.length} bytes, ${expected}`);
  }
  const values = fields.map((field) => csvInteger(name, field));
  const wrong = values.find((value) => value > 255);
  if (wrong !== undefined) throw new TilewrightError('invalid-file', `${name}: expected bytes up to 255, got ${wrong}`);
  return pictureFrom(Uint8Array.from(values), side, side, channels);
}

/** An IDX file of grey pictures, [N,H,W] bytes, with the file of their labels, [N] bytes, beside it. */
export async function listIdx(path: string): Promise<Listing> {
  const labelsPath = path.replace(/images([-.])idx3/i, 'labels$1idx1');
  const pictures = parseIdx(path, await readEither(path), 3);
  const labels = parseIdx(labelsPath, await readEither(labelsPath), 1);
  const [count, height, width] = pictures.sizes as [number, number, number];
  if (labels.bytes.length !== count) {
    const message = `${labelsPath}: ${labels.bytes.length} labels for the ${count} pictures of ${path}`;
    throw new TilewrightError('invalid-file', message);
  }
  return {
    items: Array.from(labels.bytes, (label, position) => ({ name: `${basename(path)}:${position}`, label })),
    async *read(wanted) {
      for (const position of wanted) {
        const bytes = pictures.bytes.subarray(position * height * width, (position + 1) * height * width);
        yield { position, picture: pictureFrom(bytes, width, height, 1) };
      }
    },
  };
}

/** A file that may be gzipped, under its name or, where that is not there, under the name with or without .gz. */
async function readEither(path: string): Promise<Uint8Array> {
  const other = path.endsWith('.gz') ? path.slice(0, -3) : `${path}.gz`;
  const read = (name: string) =>
    readFile(name).then((bytes) => (name.endsWith('.gz') ? promisify(gunzip)(bytes) : bytes));
  try {
    return await read(path).catch((cause) => {
      if (cause.code === 'ENOENT') return read(other);
      throw cause;
    });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new TilewrightError('not-found', `Neither ${path} nor ${other} is there`, { cause });
    throw new TilewrightError('invalid-file', `${path} cannot be read: ${message}`, { cause });
  }
}

/** IDX: two zero bytes, the type (8 is unsigned bytes), the rank, big-endian sizes, then the elements. */
function parseIdx(path: string, file: Uint8Array, rank: number): { sizes: number[]; bytes: Uint8Array } {
  const header = 4 + 4 * rank;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < header || view.getUint32(0) !== 0x0800 + rank) {
    throw new TilewrightError('invalid-file', `${path}: expected an IDX file of unsigned bytes of rank ${rank}`);
  }
  const sizes = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  const expected = header + sizes.reduce((product, size) => product * size, 1);
  if (file.length !== expected) {
    throw new TilewrightError('invalid-file', `${path}: expected ${expected} bytes for [${sizes}], got ${file.length}`);
  }
  return { sizes, bytes: file.subarray(header) };
}
