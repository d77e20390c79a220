import { TilewrightError } from '../../errors.ts';
import { type ByteSource, stray } from '../../hub/source.ts';
import { shown } from '../../options.ts';
import type { VectorDataType } from '../table.ts';
import { type Sizes, WordList } from './list.ts';

/** Bytes that a file is told by. */
const HEAD = 128 * 1024;
const NEWLINE = 10;
const SPACE = 32;

/** Spaces and tabs part the fields of a line; what else Unicode calls a space may be in a word. */
const fieldsOf = (line: string): string[] => line.replace(/[ \t\r]+$/, '').split(/[ \t]/);

const isNumber = (field: string): boolean => field !== '' && !Number.isNaN(Number(field));

/** How a file of words is written: GloVe's text, word2vec's text with a first line of two sizes, word2vec's binary form. */
interface Form extends Sizes {
  readonly binary: boolean;
  /** The first byte after what the file says of itself. */
  readonly start: number;
}

/**
 * Reads a file of words with their vectors, a part at a time. Errors: `invalid-file` where it is cut, has a word twice, a row of
 * another length or another number of words than it says; those of its source.
 */
export async function readWords(
  source: ByteSource,
  dataType: VectorDataType,
  signal: AbortSignal | undefined,
): Promise<WordList> {
  const form = formOf(source, await source.slice(0, Math.min(HEAD, source.size), signal));
  const list = new WordList(source.name, dataType, form);
  const bytes = source.stream(form.start, source.size, signal);
  await (form.binary ? readBinary(list, form, bytes) : readText(list, form.dimension, bytes));
  return list.end(form.count);
}

function formOf({ name, size }: ByteSource, head: Uint8Array): Form {
  const decoder = new TextDecoder();
  const end = head.indexOf(NEWLINE);
  const first = fieldsOf(decoder.decode(end < 0 ? head : head.subarray(0, end)));
  if (first.length === 2 && first.every((field) => /^\d+$/.test(field))) {
    const [count, dimension] = first.map(Number) as [number, number];
    const start = end < 0 ? size : end + 1;
    const rest = head.subarray(start);
    const stop = rest.indexOf(NEWLINE);
    const fields = fieldsOf(decoder.decode(stop < 0 ? rest : rest.subarray(0, stop)));
    const binary = !(fields.length > dimension && fields.slice(-dimension).every(isNumber));
    // A word and a space before its numbers; a digit and a space are the shortest of text.
    const least = count * (binary ? 2 + 4 * dimension : 1 + 2 * dimension) - 1;
    if (!count || !dimension || least > size - start)
      throw new TilewrightError(
        'invalid-file',
        `${name}: its first line says ${count} words of ${dimension} numbers, which take ${least} bytes or more; ${size - start} are there`,
      );
    return { binary, start, count, dimension };
  }
  // The numbers at its end; the first field is the word, which may be a number itself.
  const word = first.findLastIndex((field) => !isNumber(field));
  const dimension = first.length - Math.max(1, word + 1);
  if (dimension > 0) return { binary: false, start: 0, dimension };
  throw (
    stray(name, 'words with their vectors', head) ??
    new TilewrightError(
      'invalid-file',
      `${name}: expected a word and its numbers, or two sizes, got ${shown(first.join(' '))}`,
      {
        hint: "Files of words are GloVe's text, or word2vec's text or binary form.",
      },
    )
  );
}

/** Lines of a word and its numbers. */
async function readText(list: WordList, dimension: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      return list.fail('the text is not in UTF-8');
    }
  };
  const vector = new Float32Array(dimension);
  const read = (line: string): void => {
    const fields = fieldsOf(line);
    const before = fields.length - dimension;
    // A word may have spaces, but no field of it behind the first is a number.
    if (before < 1 || fields.slice(1, before).some(isNumber))
      list.fail(`expected a word and ${dimension} numbers, got ${fields.length} fields: ${shown(line)}`);
    for (let i = 0; i < dimension; i++) {
      const field = fields[before + i]!;
      if (!isNumber(field)) list.fail(`expected a number as field ${before + i}, got ${shown(field)}`);
      vector[i] = Number(field);
    }
    list.add(fields.slice(0, before).join(' '), vector);
  };
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split('\n');
    rest = lines.pop()!;
    for (const line of lines) read(line);
  }
  rest += decode();
  if (rest) read(rest);
}

/** A word, a space, float32 in the order of little-endian machines; a newline may come before a word. */
async function readBinary(
  list: WordList,
  { dimension, count }: Form,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const vector = new Float32Array(dimension);
  const numbers = new Uint8Array(vector.buffer);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    let bytes = chunk;
    if (rest.length) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    let at = 0;
    while (list.ids.size < count!) {
      const from = bytes[at] === NEWLINE ? at + 1 : at;
      const space = bytes.indexOf(SPACE, from);
      if (space < 0 || space + 1 + numbers.length > bytes.length) break;
      numbers.set(bytes.subarray(space + 1, space + 1 + numbers.length));
      let word: string;
      try {
        word = decoder.decode(bytes.subarray(from, space));
      } catch {
        return list.fail('it is not in UTF-8');
      }
      list.add(word, vector);
      at = space + 1 + numbers.length;
    }
    rest = bytes.slice(at);
    if (rest.length > HEAD + numbers.length) list.fail(`no word ends within ${rest.length} bytes`);
  }
  if (list.ids.size === count && rest.some((byte) => byte !== NEWLINE))
    list.fail(`its first line says ${count} words, ${rest.length} bytes are left over`);
}
