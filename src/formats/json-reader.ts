import { MAX_DEPTH } from '../hub/folder.ts';
import { shown } from '../options.ts';

const WHITESPACE = /[ \t\n\r]*/y;
const UNSIGNED = /(?:0|[1-9]\d*)(?![\d.eE])/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Reads JSON value by value, as the caller expects them to come. Stricter than JSON.parse, which hides duplicate keys
 * and tells 1 from 1.0 no more: a key stands once in its object, an integer is written as one, text is well-formed
 * Unicode, nesting ends at 127 levels.
 */
export class JsonReader {
  readonly #text: string;
  readonly #fail: (problem: string) => never;
  #at = 0;
  #depth = 0;

  /** `fail` throws: it is told what is wrong and where, in characters. */
  constructor(text: string, fail: (problem: string) => never) {
    this.#text = text;
    this.#fail = fail;
  }

  /** An object: `entry` is called with each key and must read its value. */
  object(entry: (key: string) => void): void {
    const keys = new Set<string>();
    this.#sequence('{', '}', () => {
      const key = this.string();
      if (keys.has(key)) this.#fail(`the key ${shown(key)} stands twice (at character ${this.#at})`);
      keys.add(key);
      this.#expect(':');
      entry(key);
    });
  }

  /** An array: `item` must read one element. */
  array(item: () => void): void {
    this.#sequence('[', ']', item);
  }

  string(): string {
    this.#expect('"');
    const start = this.#at - 1;
    for (; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#at >= this.#text.length) this.#expected('a closing "');
      if (this.#text[this.#at] === '\\') this.#at++;
    }
    this.#at++;
    const value = this.#decode(start);
    if (/\p{Surrogate}/u.test(value)) this.#fail(`a string with half a surrogate pair (at character ${start})`);
    return value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  unsigned(): number {
    const value = Number(this.#match(UNSIGNED) ?? this.#expected('a whole number from 0'));
    if (!Number.isSafeInteger(value)) this.#fail(`${value} is past 2^53 (at character ${this.#at})`);
    return value;
  }

  /** Any value, whose content does not matter. */
  skip(): void {
    const first = this.#peek();
    if (first === '{') this.object(() => this.skip());
    else if (first === '[') this.array(() => this.skip());
    else if (first === '"') this.string();
    else if (!this.#match(SCALAR)) this.#expected('a value');
  }

  /** Nothing but whitespace may follow. */
  end(): void {
    if (this.#peek() !== undefined) this.#expected('the end');
  }

  #sequence(open: string, close: string, item: () => void): void {
    this.#expect(open);
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels (at character ${this.#at})`);
    if (this.#peek() !== close) {
      item();
      while (this.#peek() === ',') {
        this.#at++;
        item();
      }
    }
    this.#expect(close);
    this.#depth--;
  }

  /** The string literal from `start` to here. Escapes and control characters are JSON.parse's to judge. */
  #decode(start: number): string {
    const literal = this.#text.slice(start, this.#at);
    try {
      return JSON.parse(literal);
    } catch {
      return this.#fail(`a string that JSON does not allow (at character ${start})`);
    }
  }

  #match(pattern: RegExp): string | undefined {
    this.#peek();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  /** The character the next token begins with. */
  #peek(): string | undefined {
    WHITESPACE.lastIndex = this.#at;
    WHITESPACE.test(this.#text);
    this.#at = WHITESPACE.lastIndex;
    return this.#text[this.#at];
  }

  #expect(token: string): void {
    if (this.#peek() !== token) this.#expected(token);
    this.#at++;
  }

  #expected(what: string): never {
    const got = this.#text[this.#at];
    return this.#fail(`expected ${what}, got ${got === undefined ? 'the end' : shown(got)} (at character ${this.#at})`);
  }
}
