import { relativeBucket } from '../relative.ts';

/** Constants of graphs that no file has. All graphs of a model get the same arrays, so that these share them on the device. */
export class Tables {
  readonly #made = new Map<string, Float32Array | Uint32Array>();

  #once<T extends Float32Array | Uint32Array>(key: string, make: () => T): T {
    const known = (this.#made.get(key) as T | undefined) ?? make();
    this.#made.set(key, known);
    return known;
  }

  /** 0 to count - 1. */
  range(count: number): Uint32Array {
    return this.#once(`range ${count}`, () => Uint32Array.from({ length: count }, (_, i) => i));
  }

  zeros(count: number): Float32Array {
    return this.#once(`zeros ${count}`, () => new Float32Array(count));
  }

  /** Sines of a position in the first half of a row, cosines in the second: [length, width]. */
  waves(length: number, width: number): Float32Array {
    return this.#once(`waves ${length} ${width}`, () => {
      const sines = Math.ceil(width / 2);
      return Float32Array.from({ length: length * width }, (_, i) => {
        const [position, column] = [Math.floor(i / width), i % width];
        const angle = (step: number): number => position / 10000 ** ((2 * step) / width);
        return column < sines ? Math.sin(angle(column)) : Math.cos(angle(column - sines));
      });
    });
  }

  /** T5's bucket for each query and key: [count, count]. `both`: keys behind a query and ahead of it have half of the buckets each. */
  buckets(count: number, both: boolean, buckets: number, distance: number): Uint32Array {
    return this.#once(`buckets ${count} ${both} ${buckets} ${distance}`, () => {
      return Uint32Array.from({ length: count * count }, (_, i) =>
        relativeBucket((i % count) - Math.floor(i / count), buckets, distance, both),
      );
    });
  }
}
