import type { Profile, ProfileRow } from '../../../src/index.ts';
import { partsOf } from '../../../src/profile/names.ts';

/** A part of a run: of one dispatch, or of the dispatches in a row whose labels begin alike. */
export interface Span {
  readonly name: string;
  /** Milliseconds from the beginning of the run. */
  readonly from: number;
  readonly ms: number;
  /** Groups that it lies in. */
  readonly depth: number;
  /** The dispatch; undefined for a group. */
  readonly row?: ProfileRow;
}

/** A run as it would go if dispatches took what they took alone: those in a row whose labels begin alike lie in a group. */
export function timeline({ rows }: Pick<Profile, 'rows'>): Span[] {
  const spans: Span[] = [];
  let open: { name: string; from: number }[] = [];
  let now = 0;
  const close = (depth: number): void => {
    spans.push(...open.slice(depth).map(({ name, from }, i) => ({ name, from, ms: now - from, depth: depth + i })));
    open = open.slice(0, depth);
  };
  for (const row of rows) {
    const groups = partsOf(row.label).slice(0, -1);
    const common = groups.findIndex((name, i) => open[i]?.name !== name);
    close(common < 0 ? groups.length : common);
    for (const name of groups.slice(open.length)) open.push({ name, from: now });
    spans.push({ name: row.name, from: now, ms: row.ms, depth: open.length, row });
    now += row.ms;
  }
  close(0);
  return spans.sort((a, b) => a.from - b.from || a.depth - b.depth);
}

/** What a viewer shows of a dispatch. */
const argsOf = ({ kernel, shape, macs, bytes, gflops, gbps, pctOfRoof, bound, p10, p90 }: ProfileRow): object => ({
  kernel,
  shape,
  macs,
  bytes,
  gflops,
  gbps,
  p10,
  p90,
  ...(bound && { pctOfRoof, bound }),
});

/** Threads of the trace. */
const [GPU, CPU] = [1, 2];

/**
 * A profile in the Trace Event Format, which Perfetto and chrome://tracing open: complete events (`X`) in microseconds, with
 * the names of process and threads as metadata events (`M`). Beginnings and ends are whole nanoseconds, to which Perfetto rounds
 * `ts` and `dur` each by itself: it takes events of a thread only where they nest to the nanosecond.
 */
export function traceOf(profile: Profile): object {
  const { adapter, plan, host, runMs } = profile;
  const pid = 1;
  const named = (name: string, tid: number, value: string) => ({
    name,
    ph: 'M',
    pid,
    tid,
    ts: 0,
    args: { name: value },
  });
  const event = (tid: number, cat: string, name: string, from: number, ms: number, args: object = {}) => {
    const [start, end] = [Math.round(1e6 * from), Math.round(1e6 * (from + ms))] as const;
    return { name, cat, ph: 'X', pid, tid, ts: start / 1000, dur: (end - start) / 1000, args };
  };
  const end = Math.max(runMs, host.whole.ms);
  return {
    displayTimeUnit: 'ms',
    otherData: { adapter, plan },
    traceEvents: [
      named('process_name', GPU, `Tilewright: ${plan}`),
      named('thread_name', GPU, 'GPU, dispatches each timed alone'),
      named('thread_name', CPU, 'CPU, of a whole run'),
      ...timeline(profile).map(({ name, from, ms, row }) =>
        event(GPU, row ? row.op : 'layers', name, from, ms, row ? argsOf(row) : {}),
      ),
      event(CPU, 'host', 'encode', 0, host.encode.ms),
      event(CPU, 'host', 'read back', end, host.readBack.ms),
    ],
  };
}

/** Marks a profile on a track of its own in the performance panel of DevTools, as of now. */
export function markTrack(profile: Profile, start = performance.now()): void {
  for (const { name, from, ms, depth, row } of timeline(profile)) {
    performance.measure(name, {
      start: start + from,
      end: start + from + ms,
      detail: {
        devtools: {
          dataType: 'track-entry',
          track: 'Layers',
          trackGroup: 'Tilewright',
          color: depth ? 'primary-light' : 'primary',
          properties: row ? Object.entries(argsOf(row)).map(([key, value]) => [key, String(value)]) : [],
          tooltipText: row ? `${name}: ${row.kernel}` : name,
        },
      },
    });
  }
}
