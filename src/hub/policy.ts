import { fn, integer, type Rules, text, valuesOf } from '../options.ts';

/** How files behind URLs are fetched. */
export interface NetworkOptions {
  /** Where models that are named `org/model` come from. Default: https://huggingface.co. */
  base?: string;
  /** Sent as `Authorization: Bearer TOKEN`; to the address that was asked for, not to another origin that it redirects to. */
  token?: string;
  /** Fetches in the place of the global `fetch`. It gets the address and what `fetch` takes beside it. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Sent with every request: `{ Authorization: 'Bearer hf_TOKEN' }`. Another origin has to allow them (CORS). */
  headers?: Readonly<Record<string, string>>;
  /** How often a request is tried again, in a row, where little or nothing came of it: 0 or more. Default: 4. */
  retries?: number;
  /** Milliseconds without a byte after which a request is given up and tried again: once in a row. Default: 20,000. */
  stall?: number;
}

export const NETWORK_RULES: Rules<NetworkOptions> = {
  base: text,
  token: text,
  fetch: fn,
  headers: valuesOf(text),
  retries: integer(0, 100),
  stall: integer(1, 2 ** 31 - 1),
};

export const RETRIES = 4;
/** Milliseconds. */
export const STALL = 20_000;

/** Milliseconds before the first try again; twice that before each further one, a random half of it left out. */
export const BACKOFF = 250;
/** The longest wait, in milliseconds. A server that asks for more (`Retry-After`) is given up. */
export const LONGEST_WAIT = 30_000;
/** Bytes after which a request counts as one that got on: its tries begin anew. */
export const PROGRESS = 64 * 1024;

/** Bytes that the first request asks for: a small file whole, or the header of most checkpoints. */
export const FIRST = 128 * 1024;
/** Bytes that a small read elsewhere fetches at least: a tensor of a few numbers, and those that lie beside it. */
export const PIECE = 16 * 1024;
/** Bytes up to which a read is small. */
export const SMALL = 128 * 1024;
/** Bytes between two reads that still follow each other: what an ONNX file says between the numbers of two tensors. */
export const GAP = 64 * 1024;

/** Bytes of a block: what is kept, and the least that a range asks for. */
export const BLOCK = 2 ** 20;
/** Blocks that are fetched ahead of the reader: at first at least, and at the most. */
export const WINDOW: readonly [least: number, most: number] = [4, 8];
/** Milliseconds of the network that are fetched ahead. */
export const AHEAD = 1000;
/** Blocks of a file in memory at the most. */
export const MOST_BLOCKS = 12;
/** Ranges under way at the most. */
export const LANES = 2;
/** Milliseconds without a reader after which nothing of a file is kept. */
export const IDLE = 5000;
