import { aborted, TilewrightError, throwIfAborted } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { BACKOFF, LONGEST_WAIT, NETWORK_RULES, type NetworkOptions, PROGRESS, RETRIES, STALL } from './policy.ts';
import { piecesOf, reason } from './source.ts';

/** What may go away when the request is made again. `wait`: milliseconds that the server asks to wait. */
export class Fault extends Error {
  constructor(
    message: string,
    readonly how: { wait?: number | undefined; stalled?: boolean; hint?: string; cause?: unknown } = {},
  ) {
    super(message);
  }
}

/** An answer 2xx, 416, or 304 to a condition. Each piece of the body is good until the next is asked for. */
export interface Answer {
  readonly response: Response;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Sends one GET: of the bytes from `start` up to `end` where given, under `conditions`, which are headers. */
export type Send = (start?: number, end?: number, conditions?: Readonly<Record<string, string>>) => Promise<Answer>;

/** Requests for files, each tried again where that may help. */
export class Network {
  readonly #fetch: NonNullable<NetworkOptions['fetch']>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retries: number;
  readonly #stall: number;
  /** Buffers that answers are read into, for the next ones. */
  readonly #spare: ArrayBuffer[] = [];

  /** Error: `invalid-argument`. */
  constructor(options: NetworkOptions = {}) {
    checkOptions('network', options, NETWORK_RULES);
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#headers = headersOf(options);
    this.#retries = options.retries ?? RETRIES;
    this.#stall = options.stall ?? STALL;
  }

  /**
   * Does `work` until it gets through. A `Fault` of it is waited for and tried again: cuts, stalls, 408, 425, 429 and 5xx.
   * `progress` counts the bytes that came so far: where some came, the tries begin anew. What `work` left open is closed.
   * Errors: `network`, naming URL, answer and tries; `not-found`; `aborted`; those of `work`.
   */
  async through<T>(
    href: string,
    signal: AbortSignal | undefined,
    work: (send: Send) => Promise<T>,
    progress: () => number = () => 0,
  ): Promise<T> {
    let [tries, stalls, since] = [0, 0, progress()];
    for (;;) {
      const attempt = new AbortController();
      try {
        return await work((...range) => this.#send(href, attempt.signal, signal, ...range));
      } catch (error) {
        throwIfAborted(signal, `fetching ${shortened(href)}`);
        if (!(error instanceof Fault)) throw error;
        const { wait: asked, stalled, hint, cause } = error.how;
        if (progress() - since >= PROGRESS) [tries, stalls] = [0, 0];
        since = progress();
        tries++;
        if (stalled) stalls++;
        const wait = asked ?? BACKOFF * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
        if (tries > this.#retries || stalls > 1 || wait > LONGEST_WAIT) {
          const often = asked !== undefined && wait > LONGEST_WAIT ? `: come again in ${Math.ceil(wait / 1000)} s` : '';
          const count = tries > 1 ? `, tried ${tries} times` : '';
          throw new TilewrightError('network', `${shortened(href)}: ${error.message}${often}${count}`, { hint, cause });
        }
        await pause(wait, signal);
      } finally {
        attempt.abort(); // whatever of it is still under way
      }
    }
  }

  async #send(
    href: string,
    stop: AbortSignal,
    signal: AbortSignal | undefined,
    start = 0,
    end?: number,
    conditions?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const range: Record<string, string> = end === undefined ? {} : { Range: `bytes=${start}-${end - 1}` };
    // Browsers keep requests of one address waiting for each other where answers go through their cache.
    const init: RequestInit = {
      headers: { ...this.#headers, ...range, ...conditions },
      signal: stop,
      cache: 'no-store',
    };
    throwIfAborted(signal, `fetching ${shortened(href)}`);
    const response = await this.#moves(this.#fetch(href, init), signal);
    const { status, statusText, ok, headers } = response;
    // Servers of single-page applications answer a missing file with their page.
    const type = headers.get('content-type') ?? '';
    const isPage = type.startsWith('text/html') && !/\.html?$/.test(new URL(href).pathname);
    if ((ok || status === 416 || (status === 304 && conditions)) && !isPage)
      return { response, pieces: this.#pieces(response, signal) };
    const page = isPage && ok ? ` with an HTML page (content-type ${type})` : '';
    const answer = `the server answered ${status} ${statusText}${page}`;
    if ([408, 425, 429].includes(status) || status >= 500)
      throw new Fault(answer, { wait: waitOf(headers.get('retry-after')), cause: response });
    const missing = status === 404 || status === 410 || ok;
    throw new TilewrightError(missing ? 'not-found' : 'network', `${shortened(href)}: ${answer}`, { cause: response });
  }

  async *#pieces({ body }: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    if (body) yield* piecesOf(body, (read) => this.#moves(read, signal), this.#spare);
  }

  /** What `fetch` and its body give, within the time that nothing may come for. */
  async #moves<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await until(work, signal, this.#stall);
    } catch (cause) {
      if (cause instanceof Fault || cause instanceof TilewrightError) throw cause;
      const hint = 'Check the address and the connection; a page reads other origins only where they allow it (CORS).';
      throw new Fault(reason(cause), { hint, cause });
    }
  }
}

/** What is sent with every request. Error: `invalid-argument`, which does not show what may be secret. */
function headersOf({ headers = {}, token }: NetworkOptions): Readonly<Record<string, string>> {
  const fail = (problem: string): never => {
    throw new TilewrightError('invalid-argument', `network: ${problem}`);
  };
  const names = Object.keys(headers);
  if (names.some((name) => /^(range|if-.*)$/i.test(name)))
    fail('headers: ranges and conditions are for the engine to send');
  if (token !== undefined && names.some((name) => /^authorization$/i.test(name)))
    fail('give either a token or a header Authorization, not both');
  const all = { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  for (const [name, value] of Object.entries(all)) {
    try {
      new Headers([[name, value]]);
    } catch {
      fail(`${name === 'Authorization' && token ? 'token' : `headers: ${name}`}: is no value of a header`);
    }
  }
  return all;
}

/** The work's result, or an error at once when the signal fires or the time, in ms, is over. */
export function until<T>(work: Promise<T>, signal?: AbortSignal, limit?: number): Promise<T> {
  let stop = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal!, 'fetching'));
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    const late = (): void => reject(new Fault(`nothing came for ${limit} ms`, { stalled: true }));
    if (limit !== undefined) timer = setTimeout(late, limit);
  });
  return Promise.race([work, ended]).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  });
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waiting = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return until(waiting, signal).finally(() => clearTimeout(timer));
}

/** Milliseconds that `Retry-After` says: seconds, or a date. */
function waitOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** A URL for a message: data URLs hold megabytes. */
export const shortened = (href: string): string => (href.length > 200 ? `${href.slice(0, 200)}...` : href);
