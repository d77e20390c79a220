import type { Picture } from '../vision/preprocess.ts';

/** What a reader finds before anything is decoded. */
export interface Listing {
  /** One for each picture, in the order of `read`. The label is a class folder's name or a number. */
  readonly items: readonly { readonly name: string; readonly label: string | number }[];
  /** The pictures at the wanted positions, in order. */
  read(wanted: ReadonlySet<number>): AsyncIterable<{ position: number; picture: Picture }>;
}
