/** The bits of a JPEG's scan, with 0 stuffed after each 255. */
class Bits {
  readonly bytes: number[] = [];
  #held = '';

  put(value: number, length: number): void {
    this.#held += length ? value.toString(2).padStart(length, '0') : '';
    for (; this.#held.length >= 8; this.#held = this.#held.slice(8)) {
      const byte = Number.parseInt(this.#held.slice(0, 8), 2);
      this.bytes.push(byte, ...(byte === 255 ? [0] : []));
    }
  }

  end(): number[] {
    this.put(127, 7);
    return this.bytes;
  }
}

const word = (value: number): number[] => [value >> 8, value & 255];
const segment = (marker: number, body: readonly number[]): number[] => [255, marker, ...word(body.length + 2), ...body];

/**
 * A JPEG of four inks as Pillow and Photoshop write it (Adobe's marker, inks inverted), one flat block of 8x8 pixels for each of
 * `blocks`, side by side; inks from 0 (none) to 255. `transform` 2 stores them as YCCK; null leaves the marker out.
 */
export function cmykJpeg(
  blocks: readonly (readonly [c: number, m: number, y: number, k: number])[],
  transform: 0 | 2 | null = 0,
): Uint8Array<ArrayBuffer> {
  const ids = [1, 2, 3, 4];
  const bits = new Bits();
  const before = [0, 0, 0, 0];
  for (const [c, m, y, k] of blocks) {
    const stored =
      transform === 2
        ? [
            0.299 * c + 0.587 * m + 0.114 * y,
            -0.168736 * c - 0.331264 * m + 0.5 * y + 128,
            0.5 * c - 0.418688 * m - 0.081312 * y + 128,
            255 - k,
          ]
        : [c, m, y, k].map((ink) => 255 - ink);
    stored.map(Math.round).forEach((value, i) => {
      const mean = 8 * (value - 128);
      const difference = mean - before[i]!;
      before[i] = mean;
      const length = difference ? Math.floor(Math.log2(Math.abs(difference))) + 1 : 0;
      bits.put(length, 4); // the code of a length is the length itself
      bits.put(difference < 0 ? difference + 2 ** length - 1 : difference, length);
      bits.put(0, 1); // no other frequency
    });
  }
  const lengths = (counts: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: 16 }, (_, i) => counts[i + 1] ?? 0);
  return Uint8Array.from([
    ...[255, 0xd8],
    ...(transform === null ? [] : segment(0xee, [...new TextEncoder().encode('Adobe'), 0, 100, 0, 0, 0, 0, transform])),
    ...segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    ...segment(0xc0, [8, ...word(8), ...word(8 * blocks.length), 4, ...ids.flatMap((id) => [id, 0x11, 0])]),
    ...segment(0xc4, [0x00, ...lengths({ 4: 12 }), ...Array.from({ length: 12 }, (_, i) => i)]),
    ...segment(0xc4, [0x10, ...lengths({ 1: 1 }), 0]),
    ...segment(0xda, [4, ...ids.flatMap((id) => [id, 0]), 0, 63, 0]),
    ...bits.end(),
    ...[255, 0xd9],
  ]);
}
