import { until } from './network.ts';
import { AHEAD, BLOCK, GAP, IDLE, LANES, MOST_BLOCKS, WINDOW } from './policy.ts';
import type { Remote } from './remote.ts';

/** A part of the file: the bytes from `index * BLOCK` on. `filled` of them are here, readers are past `read` of them. */
interface Block {
  readonly bytes: Uint8Array;
  filled: number;
  read: number;
  /** Whether its bytes are being kept elsewhere: until that is done it stays. */
  keeping: boolean;
}

/** A range under way: bytes from `at` up to `end` are still to come. */
interface Lane {
  at: number;
  readonly end: number;
  readonly stop: AbortController;
}

/** Someone who reads forward. The block at `at` is held until the reader is past it, for the bytes up to `stop`. */
interface Reader {
  at: number;
  stop: number;
}

const indexOf = (at: number): number => Math.floor(at / BLOCK);

/**
 * The blocks of a file around its readers: some ranges at a time bring the next ones, as many as the network gives in a
 * second. At most `MOST_BLOCKS` are in memory, in buffers that are used again. Of a file that has no room as a whole, a block
 * goes when all of it was read, one that was read in part when room is needed. A range that has no room is not read on: the server waits.
 */
export class Blocks {
  readonly #blocks = new Map<number, Block>();
  readonly #free: ArrayBuffer[] = [];
  readonly #lanes = new Set<Lane>();
  readonly #readers = new Set<Reader>();
  readonly #count: number;
  /** Whether there is room for the whole file. */
  readonly fits: boolean;
  /** Where the last read ended. */
  #last = 0;
  #failure: { readonly error: unknown } | undefined;
  #wakers: (() => void)[] = [];
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** Bytes in a millisecond, and what it is measured from. */
  #rate = 0;
  #bytes = 0;
  #since = 0;

  constructor(
    private readonly remote: Remote,
    /** Bytes from the file's start on that are at hand. */
    private readonly first: () => Uint8Array,
    /** Until it fires there is more to read, however long nothing is. */
    private readonly loaded?: AbortSignal,
  ) {
    loaded?.addEventListener('abort', () => {
      if (!this.#readers.size) this.release();
    });
    this.#count = Math.ceil(remote.size / BLOCK);
    this.fits = this.#count <= MOST_BLOCKS;
  }

  /** Whether the bytes are here or on their way. */
  has(start: number, end: number): boolean {
    for (let index = indexOf(start); index * BLOCK < end; index++) {
      const block = this.#blocks.get(index);
      const here = block ? block.filled >= Math.min(end - index * BLOCK, block.bytes.length) : false;
      if (!here && !this.#laneOf(index)) return false;
    }
    return true;
  }

  /** The bytes in pieces of at most a block, each good until the next is asked for. */
  async *read(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const reader: Reader = { at: start, stop: start };
    if (!this.#readers.size) this.#failure = undefined;
    this.#readers.add(reader);
    clearTimeout(this.#idle);
    try {
      while (reader.at < end) {
        const base = indexOf(reader.at) * BLOCK;
        const stop = Math.min(end, base + BLOCK);
        reader.stop = stop;
        const block = await this.#arrived(indexOf(reader.at), stop - base, signal);
        yield block.bytes.subarray(reader.at - base, stop - base);
        if (reader.at - base - block.read <= GAP) block.read = Math.max(block.read, stop - base);
        reader.at = stop;
        this.#dropRead(base / BLOCK, block);
        this.#wake();
      }
    } finally {
      this.#readers.delete(reader);
      this.#last = reader.at;
      if (!this.#readers.size && reader.at < end) this.release();
      else if (!this.#readers.size && this.loaded?.aborted !== false) {
        this.#idle = setTimeout(() => this.release(), IDLE);
        (this.#idle as { unref?: () => void }).unref?.(); // Node need not wait for it
      }
    }
  }

  /** Ends what is under way, and keeps nothing. */
  release(): void {
    clearTimeout(this.#idle);
    for (const lane of [...this.#lanes]) this.#end(lane);
    this.#blocks.clear();
    this.#free.length = 0;
    this.#since = 0;
  }

  async #arrived(index: number, length: number, signal?: AbortSignal): Promise<Block> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      this.#plan();
      const block = this.#blocks.get(index);
      if (block && block.filled >= length) return block;
      await until(this.#change(), signal);
    }
  }

  /** Starts the ranges that the readers need next, and ends those that none comes to. */
  #plan(): void {
    const ahead = this.#window();
    const part = Math.floor(ahead / LANES);
    for (const lane of [...this.#lanes]) {
      const near = ({ at }: Reader): boolean => lane.end > at && indexOf(lane.at) <= indexOf(at) + MOST_BLOCKS;
      if (!this.fits && ![...this.#readers].some(near)) this.#end(lane);
    }
    for (const { at } of this.#readers) {
      const now = indexOf(at);
      const last = Math.min(this.#count, now + ahead);
      for (let index = now; index < last; index++) {
        if (this.#isThere(index)) continue;
        let end = index + 1;
        while (end < Math.min(index + part, this.#count) && !this.#isThere(end)) end++;
        // What is not needed yet waits until the window has room for all of it: Chromium buffers an answer that nobody reads on.
        if (index > now && (this.#lanes.size >= LANES || end > last)) break;
        this.#start(index, end);
        index = end - 1;
      }
    }
  }

  /** Whether the block is here or on its way. */
  #isThere(index: number): boolean {
    return this.#blocks.has(index) || this.#laneOf(index) !== undefined;
  }

  #start(from: number, to: number): void {
    const first = from === 0 ? this.first() : undefined;
    const end = Math.min(to * BLOCK, this.remote.size);
    const lane: Lane = { at: from * BLOCK, end, stop: new AbortController() };
    this.#since ||= performance.now();
    this.#lanes.add(lane);
    const put = (piece: Uint8Array): Promise<void> => this.#put(lane, piece);
    const work = async (): Promise<void> => {
      if (first?.length) await put(first.subarray(0, end));
      await this.remote.fetch(lane.at, end, put, lane.stop.signal);
    };
    work()
      .catch((error: unknown) => {
        if (!lane.stop.signal.aborted) this.#failure = { error };
        for (const other of this.#failure ? [...this.#lanes] : []) this.#end(other);
      })
      .finally(() => {
        this.#lanes.delete(lane);
        this.#wake();
      });
  }

  /** Ends a range; a block that it had begun is not kept. */
  #end(lane: Lane): void {
    lane.stop.abort();
    this.#lanes.delete(lane);
    const index = indexOf(lane.at);
    const block = this.#blocks.get(index);
    if (lane.at < lane.end && block && block.filled < block.bytes.length) this.#drop(index, block);
  }

  async #put(lane: Lane, piece: Uint8Array): Promise<void> {
    for (let from = 0; from < piece.length; ) {
      const index = indexOf(lane.at);
      const block = this.#blocks.get(index) ?? (await this.#room(lane, index));
      lane.stop.signal.throwIfAborted(); // the block may be gone with the range
      const part = piece.subarray(from, from + block.bytes.length - block.filled);
      block.bytes.set(part, block.filled);
      block.filled += part.length;
      lane.at += part.length;
      from += part.length;
      if (block.filled === block.bytes.length) this.#keep(index, block);
    }
    this.#bytes += piece.length;
    const from = lane.at - piece.length;
    for (const { stop } of this.#readers) if (stop > from && stop <= lane.at) this.#wake();
  }

  #keep(index: number, block: Block): void {
    const work = this.remote.keep?.(index * BLOCK, block.bytes);
    if (!work) return;
    block.keeping = true;
    void work.then(() => {
      block.keeping = false;
      if (this.#blocks.get(index) === block) this.#dropRead(index, block);
      this.#wake();
    });
  }

  /** An empty block, as soon as there is room for it. */
  async #room(lane: Lane, index: number): Promise<Block> {
    for (;;) {
      lane.stop.signal.throwIfAborted();
      const needed =
        [...this.#readers].some(({ at }) => at >= lane.at - BLOCK && at < lane.end) &&
        ![...this.#blocks.values()].some(({ keeping }) => keeping); // there is room soon
      const buffer =
        this.#free.pop() ??
        (this.#blocks.size < MOST_BLOCKS ? new ArrayBuffer(BLOCK) : this.#evicted()) ??
        (needed ? new ArrayBuffer(BLOCK) : undefined);
      if (buffer) {
        const bytes = new Uint8Array(buffer, 0, Math.min(BLOCK, this.remote.size - index * BLOCK));
        const block: Block = { bytes, filled: 0, read: index ? 0 : this.first().length, keeping: false };
        this.#blocks.set(index, block);
        return block;
      }
      await until(this.#change(), lane.stop.signal);
    }
  }

  /** The buffer of the first block of the file that is whole and that no reader comes to soon. */
  #evicted(): ArrayBuffer | undefined {
    // Between two reads, the next is where the last ended.
    const places = this.#readers.size ? [...this.#readers].map(({ at }) => at) : [this.#last];
    const soon = (index: number): boolean =>
      places.some((at) => index >= indexOf(at) && index < indexOf(at) + MOST_BLOCKS);
    const found = [...this.#blocks.keys()]
      .filter((index) => !soon(index) && !this.#laneOf(index) && !this.#blocks.get(index)!.keeping)
      .reduce((least, index) => Math.min(least, index), Number.POSITIVE_INFINITY);
    const block = this.#blocks.get(found);
    if (block) this.#drop(found, block);
    return this.#free.pop();
  }

  /** Drops a block of which all was read, unless someone is at it. */
  #dropRead(index: number, block: Block): void {
    const isHeld = [...this.#readers].some(({ at }) => indexOf(at) === index);
    const isDone = Math.min(block.read, block.filled) === block.bytes.length;
    if (isDone && !isHeld && !block.keeping && !this.fits) this.#drop(index, block);
  }

  #drop(index: number, block: Block): void {
    this.#blocks.delete(index);
    if (this.#blocks.size + this.#free.length < MOST_BLOCKS) this.#free.push(block.bytes.buffer as ArrayBuffer);
    if (!this.#blocks.size && !this.#lanes.size) this.#free.length = 0;
  }

  #laneOf(index: number): Lane | undefined {
    for (const lane of this.#lanes) if (indexOf(lane.at) <= index && index * BLOCK < lane.end) return lane;
    return undefined;
  }

  /** Blocks that are fetched ahead. */
  #window(): number {
    const [least, most] = WINDOW;
    const now = performance.now();
    if (now - this.#since > 250) {
      this.#rate = (this.#rate + this.#bytes / (now - this.#since)) / (this.#rate ? 2 : 1);
      [this.#bytes, this.#since] = [0, now];
    }
    return Math.max(least, Math.min(most, Math.ceil((this.#rate * AHEAD) / BLOCK)));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    for (const waker of this.#wakers.splice(0)) waker();
  }
}
