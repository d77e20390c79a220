import { version } from '../package.json';
import { TilewrightError, throwIfAborted } from '../src/errors.ts';
import type { Engine } from '../src/index.ts';
import type { Preset } from './cases.ts';
import { measureCeilings, preparePulse } from './ceilings.ts';
import { clockQuantum } from './measure.ts';
import { type BenchReport, type BenchRow, type Ceilings, figuresOf, type Work } from './report.ts';
import { scoreOf } from './score.ts';
import { marksOf, type Pulse, pulseNotes, Steadily, type Timed } from './steady.ts';
import { batteryNote, watch } from './watch.ts';

export interface BenchProgress {
  /** Cases done, of how many. */
  readonly done: number;
  readonly total: number;
  /** The case that begins now; absent at the end. */
  readonly label?: string;
}

/** What a run tells while it goes on. */
export interface BenchEvents {
  onProgress?: (progress: BenchProgress) => void;
  /** What the adapter can do at most: comes before any row. */
  onCeilings?: (ceilings: Ceilings) => void;
  /** A row, when it is measured. The mark `load` is decided at the end: the rows of the report have it. */
  onRow?: (row: BenchRow) => void;
  /** The same small kernel, between cases: milliseconds since the run began, and of the kernel. */
  onPulse?: (at: number, ms: number) => void;
}

/** A row before it has its figures. */
export interface Entry extends Pick<BenchRow, 'suite' | 'name' | 'shape' | 'dtype'> {
  readonly timed: Timed;
  readonly work: Work;
  readonly rate?: BenchRow['rate'] | undefined;
  readonly deviceBytes?: number;
  /** Tilewright where absent. */
  readonly engine?: BenchRow['engine'];
  /** The median of Tilewright in the same case; of Tilewright itself absent. */
  readonly reference?: number;
  /** The ceilings are not those of this engine. */
  readonly noRoof?: boolean;
}

/** What a run writes down: rows, notes, versions, and how steady they are. */
export interface Recorder {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly ceilings: Ceilings;
  /** The smallest step of the clock, in ms. */
  readonly quantum: number;
  readonly notes: string[];
  readonly versions: Record<string, string>;
  /** Says which case begins: rows have the time since. Error: `aborted`. */
  begin(done: number, total: number, label: string): void;
  /** Says what is done now in the case. Error: `aborted`. */
  tell(label: string): void;
  /** Measures, and again what is unsteady. */
  readonly time: Steadily['time'];
  add(entry: Entry): BenchRow;
}

/** Four digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(4));

/** Whole milliseconds from there to now. */
const since = (start: number): number => Math.round(performance.now() - start);

/** Does the work of a run between measuring the ceilings and the sums at the end. */
export async function record(
  engine: Engine,
  preset: Pick<Preset, 'ceilings' | 'againMs'>,
  work: (recorder: Recorder) => Promise<void>,
  { onProgress, onCeilings, onRow, onPulse, ...options }: BenchEvents & { readonly signal?: AbortSignal | undefined },
): Promise<BenchReport> {
  const date = new Date().toISOString();
  const start = performance.now();
  const guard = watch(engine.gpu);
  const signal = options.signal ? AbortSignal.any([options.signal, guard.signal]) : guard.signal;
  const measured: { readonly row: BenchRow; readonly beside: number }[] = [];
  const notes: string[] = [];
  const pulses: Pulse[] = [];
  const versions: Record<string, string> = {
    tilewright: version,
    browser: globalThis.navigator?.userAgent || 'no browser',
  };
  let ceilings: Ceilings | undefined;
  let reason: string | undefined;
  let progress = { done: 0, total: 0 };
  try {
    onProgress?.({ done: 0, total: 1, label: 'ceilings' });
    const roofs = await measureCeilings(engine.gpu, { ...preset.ceilings, signal });
    ceilings = roofs;
    onCeilings?.(roofs);
    const pulse = await preparePulse(engine.gpu);
    const quantum = clockQuantum();
    const beat = async (): Promise<number[]> => {
      const [at, ms] = [since(start), rounded(await pulse.time())];
      pulses.push([at, ms]);
      onPulse?.(at, ms);
      return pulses.map(([, each]) => each);
    };
    await beat();
    const steadily = new Steadily({ quantum, againMs: preset.againMs, pulse: beat });
    let began = since(start);
    await work({
      engine,
      signal,
      ceilings: roofs,
      quantum,
      notes,
      versions,
      begin(done, total, label) {
        throwIfAborted(signal, 'the bench');
        progress = { done, total };
        began = since(start);
        onProgress?.({ done, total, label });
      },
      tell(label) {
        throwIfAborted(signal, 'the bench');
        onProgress?.({ ...progress, label });
      },
      time: (take, most) => steadily.time(take, most),
      add(entry) {
        const row = rowOf(entry, roofs, [began, since(start)]);
        measured.push({ row, beside: entry.timed.beside });
        onRow?.(row);
        return row;
      },
    });
    pulse.dispose();
    if (steadily.exhausted && preset.againMs > 0)
      notes.push(`The ${preset.againMs / 1000} s for measuring unsteady figures again were used up.`);
    onProgress?.({ done: progress.total, total: progress.total });
  } catch (error) {
    reason = guard.reason() ?? (isLoss(error) ? error.message : undefined);
    if (!ceilings && reason !== undefined)
      throw new TilewrightError('aborted', `the bench ended: ${reason}`, { cause: error });
    const cancelled = options.signal?.aborted && measured.length > 0;
    if (reason === undefined && !cancelled) throw error;
    if (cancelled) notes.push(`The run was cancelled after ${progress.done} of ${progress.total} cases.`);
  } finally {
    guard.stop();
  }
  reason ??= guard.reason();
  const times = pulses.map(([, ms]) => ms);
  const rows = measured.map(({ row: { unsteady = [], ...row }, beside }) => ({
    ...row,
    ...marksOf(unsteady, beside, times),
  }));
  const score = reason === undefined ? scoreOf(rows) : undefined;
  const battery = await batteryNote();
  return {
    format: 2,
    adapter: engine.adapter,
    ...(score && { score }),
    pulse: pulses,
    ...(reason !== undefined && { void: reason }),
    date,
    versions,
    ceilings: ceilings!,
    rows,
    notes: [...notes, ...(battery ? [battery] : []), ...pulseNotes(pulses)],
  };
}

const isLoss = (error: unknown): error is TilewrightError =>
  error instanceof TilewrightError && error.code === 'device-lost';

function rowOf(entry: Entry, ceilings: Ceilings, at: readonly [number, number]): BenchRow {
  const { suite, name, shape, dtype, timed, work, rate, deviceBytes, engine = 'tilewright', reference, noRoof } = entry;
  const { ms, unsteady, tries } = timed;
  const figures = figuresOf(work, ms.median, dtype, ceilings);
  return {
    suite,
    name,
    shape,
    dtype,
    engine,
    ms,
    ...figures,
    ...(noRoof && { pctOfRoof: null }),
    ratioToTilewright: ms.median / (reference ?? ms.median),
    work,
    ...(unsteady && { unsteady }),
    ...(tries && { tries }),
    at,
    ...(deviceBytes !== undefined && { deviceBytes }),
    ...(rate && { rate }),
  };
}
