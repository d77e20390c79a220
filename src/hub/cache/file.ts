import { until } from '../network.ts';
import { BLOCK, FIRST, STALL } from '../policy.ts';
import type { ByteSource } from '../source.ts';
import { warnOnce, warnUnkept } from './open.ts';
import type { Store } from './store.ts';

/** What the cache knows of a file, in `about.json` of its folder. */
export interface About {
  readonly url: string;
  /** The model that it is of, and where that is from: a hub, or the address of a folder. */
  readonly model: string;
  readonly from: string;
  readonly name: string;
  /** When it was opened last, in milliseconds. */
  readonly used: number;
  /** Absent where the server said that there is no such file. */
  readonly version?: Version;
}

export interface Version {
  /** In bytes. */
  readonly size: number;
  /** What tells it from other versions. */
  readonly text: string;
  /** Headers that ask the server for another version only. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Of the whole, once that was compared with what it had to be. */
  readonly sha256?: string;
  /** Whether the server gives no ranges: of such a file there is all or nothing. */
  readonly whole?: boolean;
}

export const ABOUT = 'about.json';

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** 128 bits that stand for a text in the name of a file. */
export const nameFor = async (text: string): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).slice(0, 32);

/** Bytes of a part of a file of `size` bytes. */
const partLength = (size: number, index: number): number => Math.min(BLOCK, size - index * BLOCK);

export const partCount = (size: number): number => Math.ceil(size / BLOCK);

/** Parts of a version have names that no other version's have. */
export const partPrefix = ({ text, size }: Version): Promise<string> => nameFor(`${text} ${size} ${BLOCK}`);

export async function readAbout(store: Store, folder: string): Promise<About | undefined> {
  const source = await store.open(folder, ABOUT);
  if (!source) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(await source.slice(0, source.size))) as About;
  } catch {
    return undefined; // what cannot be read is fetched again
  }
}

/**
 * A file in the cache, as parts of `BLOCK` bytes in a folder of its own. One load at a time writes it. What the cache cannot
 * do ends its use for this file with a warning, and never the load.
 */
export class CachedFile {
  #prefix = '';
  readonly #parts = new Set<number>();
  #closed = false;
  /** Parts that are being written. */
  readonly #writing = new Map<number, Promise<void>>();
  /** The last write of each of the two that go on at a time. */
  readonly #turns = [Promise.resolve(), Promise.resolve()];

  private constructor(
    private readonly store: Store,
    private readonly folder: string,
    /** What is known of it from before, or what was fetched since. */
    public about: About | undefined,
    /** Gives the right to write back. */
    private release: (() => void) | undefined,
  ) {}

  /** Errors: those of the store. */
  static async open(store: Store, url: string): Promise<CachedFile> {
    const folder = await nameFor(url);
    const release = await store.lock(folder);
    try {
      const file = new CachedFile(store, folder, await readAbout(store, folder), release);
      if (file.about?.url !== url) file.about = undefined;
      await file.#look();
      return file;
    } catch (error) {
      release?.();
      throw error;
    }
  }

  get version(): Version | undefined {
    return this.about?.version;
  }

  /** Whether this load writes it. */
  get writes(): boolean {
    return this.release !== undefined && !this.#closed;
  }

  get isComplete(): boolean {
    return this.version !== undefined && this.#parts.size === partCount(this.version.size);
  }

  has(index: number): boolean {
    return this.#parts.has(index);
  }

  /** The parts that are not there. */
  missing(): number[] {
    const count = partCount(this.version?.size ?? 0);
    return Array.from({ length: count }, (_, index) => index).filter((index) => !this.#parts.has(index));
  }

  /** The first bytes, as the opening of a file has them. Undefined where they are not there. */
  async first(): Promise<Uint8Array | undefined> {
    if (!this.version) return undefined;
    const length = Math.min(FIRST, this.version.size);
    const bytes = new Uint8Array(length);
    let at = 0;
    if (!length) return bytes;
    for await (const piece of this.read(0, 0, length)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return at === length ? bytes : undefined;
  }

  /** Whether every part is there and has its length. */
  async isSound(): Promise<boolean> {
    if (!this.isComplete) return false;
    for (const index of this.#parts) await this.#open(index);
    return this.isComplete;
  }

  /** Bytes of a part, from `from` up to `to` of it. Fewer where it cannot be read: then it is there no more. */
  async *read(index: number, from: number, to: number): AsyncGenerator<Uint8Array> {
    let at = from;
    try {
      for await (const piece of (await this.#open(index))?.stream(from, to) ?? []) {
        at += piece.length;
        yield piece;
      }
    } catch (error) {
      warnOnce(`${this.about?.url}`, 'is in the cache and cannot be read: it is fetched again', error);
    }
    if (at < to) this.#parts.delete(index);
  }

  /** Begins a version, and removes what is there of others. */
  async begin(about: Omit<About, 'used'>): Promise<void> {
    this.#parts.clear();
    this.about = { ...about, used: Date.now() };
    if (!this.writes) return;
    await this.#trying(async () => {
      await this.#note();
      await this.#look();
    });
  }

  /** Notes that it was used, and what else is new of it. */
  async used(more: Partial<Version> = {}): Promise<void> {
    if (!this.about) return;
    const version = this.version && { ...this.version, ...more };
    this.about = { ...this.about, used: Date.now(), ...(version && { version }) };
    if (this.writes) await this.#trying(() => this.#note());
  }

  /** Writes a part; the bytes are not to change until that is done. Undefined where there is nothing to do. */
  put(index: number, bytes: Uint8Array): Promise<void> | undefined {
    if (!this.writes || this.#parts.has(index)) return undefined;
    const found = this.#writing.get(index);
    if (found) return found;
    const name = `${this.#prefix}-${index}`;
    const work = this.#turns[index % 2]!.then(() =>
      this.#trying(async () => {
        await this.store.write(this.folder, name, bytes);
        this.#parts.add(index);
      }),
    ).finally(() => this.#writing.delete(index));
    this.#turns[index % 2] = work;
    this.#writing.set(index, work);
    return work;
  }

  /** Waits for what is being written. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  /** Takes nothing more. What it was given is written. */
  close(): void {
    this.#closed = true;
    void this.settle().then(() => this.#end());
  }

  /** Removes it from the cache. */
  async discard(): Promise<void> {
    await this.settle();
    this.#parts.clear();
    this.about = undefined;
    await this.store
      .remove(this.folder)
      .catch((error) => warnOnce(this.folder, 'cannot be removed from the cache', error));
    this.close();
  }

  /** Writes nothing more. */
  #end(): void {
    this.release?.();
    this.release = undefined;
  }

  /** Finds the parts of the version, and removes those of others. */
  async #look(): Promise<void> {
    const { version } = this;
    this.#prefix = version ? await partPrefix(version) : '';
    for (const name of await this.store.files(this.folder)) {
      const [prefix, index] = name.split('-');
      if (name === ABOUT || name.endsWith('.draft')) continue;
      if (version && prefix === this.#prefix && Number(index) < partCount(version.size)) this.#parts.add(Number(index));
      else if (this.writes) await this.#trying(() => this.store.remove(this.folder, name));
    }
  }

  async #open(index: number): Promise<ByteSource | undefined> {
    const source = await this.store.open(this.folder, `${this.#prefix}-${index}`).catch(() => undefined);
    if (source?.size === partLength(this.version?.size ?? 0, index)) return source;
    this.#parts.delete(index);
    return undefined;
  }

  async #note(): Promise<void> {
    await this.store.write(this.folder, ABOUT, new TextEncoder().encode(JSON.stringify(this.about)));
  }

  async #trying(work: () => Promise<void>): Promise<void> {
    if (!this.release) return;
    try {
      await until(work(), undefined, STALL);
    } catch (error) {
      this.#end();
      warnUnkept(this.about?.model ?? 'a model', error);
    }
  }
}
