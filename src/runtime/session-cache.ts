import { aborted, throwIfAborted } from '../errors.ts';
import { Resource } from './resource.ts';

/** Builds a session. The signal fires when no caller waits for it any more. */
export type Make<T> = (signal: AbortSignal) => Promise<T>;

interface Disposable {
  dispose(): void;
}

interface Entry<T> {
  readonly make: Make<T>;
  readonly built: Promise<T>;
  /** Ends the build. */
  readonly end: AbortController;
  session?: T;
  /** Callers that wait for the build. */
  waiting: number;
  /** Callers at work with the session; Infinity pins it. */
  users: number;
}

/**
 * Sessions by name. A session is built when it is first asked for, once for all callers. Of those that `use` builds, at
 * most `most` are kept: the one used longest ago goes. A caller's signal ends that caller's waiting. A build ends when
 * no caller waits for it.
 */
export class SessionCache<T extends Disposable> extends Resource {
  /** The one used last comes last. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #queue: (() => void)[] = [];

  constructor(
    protected readonly title: string,
    readonly most: number,
  ) {
    super();
  }

  /** All sessions, those that are being built too. */
  all(): Promise<T[]> {
    return Promise.all([...this.#entries.values()].map(({ built }) => built));
  }

  /** How the sessions are built, by name. */
  makes(): [string, Make<T>][] {
    return [...this.#entries].map(([name, { make }]) => [name, make]);
  }

  /** A session that stays until the cache is disposed of. */
  async get(name: string, make: Make<T>, signal?: AbortSignal): Promise<T> {
    const entry = this.#entry(name, make);
    entry.users = Number.POSITIVE_INFINITY;
    return this.#wait(name, entry, signal);
  }

  /** Works with a session. It stays until the work is done. Waits for room where `most` sessions are at work. */
  async use<R>(name: string, make: Make<T>, work: (session: T) => Promise<R>, signal?: AbortSignal): Promise<R> {
    while (!this.#entries.has(name) && !this.#hasRoom()) {
      await new Promise<void>((resolve) => {
        this.#queue.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      throwIfAborted(signal, 'building');
    }
    const entry = this.#entry(name, make);
    entry.users++;
    try {
      return await work(await this.#wait(name, entry, signal));
    } finally {
      entry.users--;
      this.#next();
    }
  }

  /** Whether another session may be built. Disposes of the idle one used longest ago where that makes the room. */
  #hasRoom(): boolean {
    const bounded = [...this.#entries].filter(([, { users }]) => users < Number.POSITIVE_INFINITY);
    if (bounded.length < this.most) return true;
    const idle = bounded.find(([, { users, session }]) => !users && session);
    if (!idle) return false;
    const [name, { session }] = idle;
    session?.dispose();
    return this.#entries.delete(name);
  }

  #entry(name: string, make: Make<T>): Entry<T> {
    this.alive();
    const entry = this.#entries.get(name) ?? this.#start(name, make);
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  #start(name: string, make: Make<T>): Entry<T> {
    const end = new AbortController();
    const entry: Entry<T> = { make, built: make(end.signal), end, waiting: 0, users: 0 };
    entry.built.then(
      (session) => {
        if (end.signal.aborted) session.dispose();
        else entry.session = session;
      },
      () => this.#end(name, entry),
    );
    return entry;
  }

  #end(name: string, entry: Entry<T>, reason?: unknown): void {
    if (entry.session) return;
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
    entry.end.abort(reason);
    this.#next();
  }

  async #wait(name: string, entry: Entry<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal, 'building');
    entry.waiting++;
    let leave = (): void => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        // The last caller waits until the build has ended: then nothing of it is left on the device.
        if (--entry.waiting) reject(aborted(signal!, 'building'));
        else this.#end(name, entry, signal!.reason);
      };
    });
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const session = await Promise.race([entry.built, left]);
      throwIfAborted(signal, 'building');
      return session;
    } catch (error) {
      this.alive();
      throw error;
    } finally {
      signal?.removeEventListener('abort', leave);
      if (!signal?.aborted) entry.waiting--;
    }
  }

  #next(): void {
    for (const go of this.#queue.splice(0)) go();
  }

  protected release(): void {
    for (const [name, entry] of [...this.#entries]) {
      entry.session?.dispose();
      this.#end(name, entry);
    }
    this.#entries.clear();
    this.#next();
  }
}
