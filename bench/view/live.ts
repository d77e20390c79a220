import { version } from '../../package.json';
import type { AdapterCard } from '../../src/gpu/adapter.ts';
import type { BenchParameters } from '../parameters.ts';
import type { BenchReport, BenchRow, Ceilings } from '../report.ts';
import type { Shown } from './words.ts';

/** A run under way: what came so far, shown as it comes. */
export class LiveRun {
  readonly #rows: BenchRow[] = [];
  readonly #pulse: (readonly [at: number, ms: number])[] = [];
  readonly #rest: Omit<Shown, 'rows' | 'pulse' | 'ceilings'>;
  #ceilings: Ceilings | undefined;

  constructor(
    adapter: AdapterCard,
    { gpu, preset }: BenchParameters,
    private readonly show: (run: Shown) => void,
  ) {
    const versions = { tilewright: version, browser: navigator.userAgent };
    const date = new Date().toISOString();
    this.#rest = { format: 2, adapter, ...(gpu && { gpu }), ...(preset && { preset }), date, versions, notes: [] };
    this.#tell();
  }

  readonly onCeilings = (ceilings: Ceilings): void => {
    this.#ceilings = ceilings;
    this.#tell();
  };

  readonly onRow = (row: BenchRow): void => {
    this.#rows.push(row);
    this.#tell();
  };

  readonly onPulse = (at: number, ms: number): void => {
    this.#pulse.push([at, ms]);
    this.#tell();
  };

  /** What there is of a run that ended before its time; undefined without a row. */
  part(why: string): BenchReport | undefined {
    const { ceilings, ...run } = this.#state();
    if (!ceilings || !run.rows.length) return undefined;
    return { ...run, ceilings, notes: [`${why}: the rows are those measured until then`] };
  }

  #state(): Shown {
    return { ...this.#rest, ceilings: this.#ceilings, pulse: [...this.#pulse], rows: [...this.#rows] };
  }

  #tell(): void {
    this.show(this.#state());
  }
}
