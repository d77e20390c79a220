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
      const of = bucketsOf(both ? buckets / 2 : buckets, distance);
      return Uint32Array.from({ length: count * count }, (_, i) => {
        const ahead = (i % count) - Math.floor(i / count);
        if (both) return of(Math.abs(ahead)) + (ahead > 0 ? buckets / 2 : 0);
        return of(Math.max(0, -ahead));
      });
    });
  }
}

/** Half of the buckets are a distance each; the others grow as logarithms do, to `most`. In float32, as transformers has it. */
function bucketsOf(buckets: number, most: number): (distance: number) => number {
  const exact = Math.floor(buckets / 2);
  const { fround } = Math;
  return (distance) => {
    if (distance < exact) return distance;
    const far = fround(
      fround(fround(Math.log(fround(distance / exact))) / fround(Math.log(most / exact))) * (buckets - exact),
    );
    return Math.min(exact + Math.floor(far), buckets - 1);
  };
}
