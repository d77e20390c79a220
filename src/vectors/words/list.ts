import { TilewrightError } from '../../errors.ts';
import { shown } from '../../options.ts';
import { type VectorDataType, VectorTable } from '../table.ts';

/** What a file says of its words before they come. */
export interface Sizes {
  readonly dimension: number;
  /** Words, where the file says how many. */
  readonly count?: number | undefined;
}

/** Words with their vectors, as a file gives them one after the other. Errors: `invalid-file`, with the number of the word. */
export class WordList {
  readonly ids = new Map<string, number>();
  readonly table: VectorTable;

  constructor(
    private readonly file: string,
    dataType: VectorDataType,
    { dimension, count }: Sizes,
  ) {
    this.table = new VectorTable(dataType, dimension, count);
  }

  fail(problem: string): never {
    throw new TilewrightError('invalid-file', `${this.file}: word ${this.ids.size}: ${problem}`);
  }

  /** `vector` has the table's length. */
  add(word: string, vector: Float32Array): void {
    if (word === '') this.fail('expected a word, got none');
    if (this.ids.has(word)) this.fail(`${shown(word)} was there before, as word ${this.ids.get(word)}`);
    const bad = vector.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) this.fail(`number ${bad} of ${shown(word)}: expected a finite float32, got ${vector[bad]}`);
    this.table.append(vector);
    this.ids.set(word, this.ids.size);
  }

  /** Checks what the file said at its beginning. */
  end(count: number | undefined): this {
    if (count !== undefined && this.ids.size !== count)
      throw new TilewrightError(
        'invalid-file',
        `${this.file}: its first line says ${count} words, it has ${this.ids.size}`,
      );
    if (!this.ids.size) throw new TilewrightError('invalid-file', `${this.file}: has no words`);
    return this;
  }
}
