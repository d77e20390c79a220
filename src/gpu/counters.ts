/** What the engine asked of the GPU. Counts do not vary from run to run, so tests assert them. */
export interface Counters {
  dispatches: number;
  passes: number;
  submits: number;
  bindGroups: number;
  pipelines: number;
  bytesUploaded: number;
  bytesRead: number;
  /** Bytes in live buffers now, and at the highest. */
  bytes: number;
  peakBytes: number;
}

export const createCounters = (): Counters => ({
  dispatches: 0,
  passes: 0,
  submits: 0,
  bindGroups: 0,
  pipelines: 0,
  bytesUploaded: 0,
  bytesRead: 0,
  bytes: 0,
  peakBytes: 0,
}); // prettier-ignore

/** How much each counter rose between two readings. `bytes` and `peakBytes` are levels: the later reading stands. */
export function countersSince(before: Counters, after: Counters): Counters {
  const levels = { bytes: after.bytes, peakBytes: after.peakBytes };
  const rises = Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Counters]]);
  return { ...(Object.fromEntries(rises) as unknown as Counters), ...levels };
}
