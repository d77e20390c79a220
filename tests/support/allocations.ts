/** Bytes of arrays that code asks for: typed arrays of their own, and lists by length at 8 bytes an element. */
export class Allocations {
  #bytes = 0;
  readonly #restore: (() => void)[] = [];

  /** Counts in modules that are loaded from now on. */
  constructor() {
    const scope = globalThis as unknown as Record<string, new (...given: never[]) => ArrayBufferView>;
    for (const name of Object.keys(TYPED)) {
      const Type = TYPED[name as keyof typeof TYPED] as unknown as (typeof scope)[string];
      const counted: typeof Type = new Proxy(Type, {
        construct: (target, given, from) => {
          // A view of a buffer takes nothing. What is there counts before it is asked for: it may be too much to be had.
          if (typeof given[0] === 'number')
            this.#bytes += given[0] * (Type as unknown as Float32ArrayConstructor).BYTES_PER_ELEMENT;
          const made: ArrayBufferView = Reflect.construct(target, given, from === counted ? target : from);
          if (typeof given[0] !== 'number' && !(given[0] instanceof ArrayBuffer)) this.#bytes += made.byteLength;
          return made;
        },
      });
      scope[name] = counted;
      this.#restore.push(() => (scope[name] = Type));
    }
    const { from } = Array;
    Array.from = ((list: ArrayLike<unknown> & Iterable<unknown>, ...rest: never[]) => {
      if (typeof list.length === 'number') this.#bytes += 8 * list.length;
      return Reflect.apply(from, Array, [list, ...rest]);
    }) as typeof from;
    this.#restore.push(() => (Array.from = from));
  }

  /** Bytes since the last call. */
  taken(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  restore(): void {
    for (const undo of this.#restore) undo();
  }
}

const TYPED = {
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};
