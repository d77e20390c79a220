import type { Picture } from '../vision/preprocess.ts';

/** A picture with the index of its class (0 where that is not known). */
export interface LabelledPicture {
  readonly picture: Picture;
  readonly label: number;
}

const FIELDS = 3; // label, width, height

/**
 * Pictures as one piece of bytes, for the way into a page: their number, then label, width and height of each (uint32,
 * little-endian), then their pixels one after the other, RGBA.
 */
export function packPictures(batch: readonly LabelledPicture[]): Uint8Array {
  const head = 4 * (1 + FIELDS * batch.length);
  const bytes = new Uint8Array(batch.reduce((sum, { picture }) => sum + picture.data.length, head));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, batch.length, true);
  let at = head;
  batch.forEach(({ picture, label }, n) => {
    [label, picture.width, picture.height].forEach((value, field) => {
      view.setUint32(4 * (1 + FIELDS * n + field), value, true);
    });
    bytes.set(picture.data, at);
    at += picture.data.length;
  });
  return bytes;
}

/** What `packPictures` packed; the pixels are views on the bytes. */
export function unpackPictures(bytes: Uint8Array): LabelledPicture[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  let at = 4 * (1 + FIELDS * count);
  return Array.from({ length: count }, (_, n) => {
    const [label, width, height] = [0, 1, 2].map((field) => view.getUint32(4 * (1 + FIELDS * n + field), true)) as [
      number,
      number,
      number,
    ];
    const data = bytes.subarray(at, at + width * height * 4);
    at += data.length;
    return { picture: { width, height, data }, label };
  });
}
