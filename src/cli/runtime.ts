import type { JobEvent } from './jobs/job.ts';
import type { ArgsOf, JobName, ResultOf } from './jobs.ts';

export type RuntimeName = 'chrome' | 'dawn';

export interface JobOptions {
  readonly signal: AbortSignal;
  readonly onEvent?: (event: JobEvent) => void;
}

/** Where jobs run. It lives for one command: what one job loaded is there for the next. */
export interface Runtime {
  readonly name: RuntimeName;
  /** For people: which browser, or which driver. */
  readonly description: string;
  /** What jobs call a model by that this side calls by a path or a URL. Errors: `not-found`, `invalid-argument`. */
  model(source: string): Promise<string>;
  /** Lends bytes to jobs, chunk by chunk as they ask for them; gives the name they ask by. */
  lend(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): string;
  /** Takes the bytes that jobs give, in their order, under the name that it returns. */
  take(sink: Sink): string;
  /** Does a job. Its errors come back as they were thrown, those of what is lent too. */
  run<Name extends JobName>(name: Name, args: ArgsOf<Name>, options: JobOptions): Promise<ResultOf<Name>>;
  close(): Promise<void>;
}

/** What bytes of a job go to. Where it fails, the job does. */
export type Sink = (bytes: Uint8Array) => Promise<void> | void;

/** What is taken, by name. */
export class Taking {
  readonly #sinks = new Map<string, Sink>();

  add(sink: Sink): string {
    const name = String(this.#sinks.size);
    this.#sinks.set(name, sink);
    return name;
  }

  async give(name: string, bytes: Uint8Array): Promise<void> {
    await this.#sinks.get(name)!(bytes);
  }
}

/** What is lent, by name: one reader each. */
export class Lending {
  readonly #chunks = new Map<string, AsyncIterator<Uint8Array> | Iterator<Uint8Array>>();

  add(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): string {
    const name = String(this.#chunks.size);
    this.#chunks.set(name, Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]());
    return name;
  }

  /** The next chunk; undefined at the end. */
  async next(name: string): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#chunks.get(name)!.next();
    return done ? undefined : value;
  }

  /** Lets go of what was not read to its end. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#chunks.values()].map((chunks) => chunks.return?.()));
  }
}
