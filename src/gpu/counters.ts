/** What the engine asked of the GPU. Counts do not vary from run to run, so tests assert them. */
export interface Counters {
  /** Kernels that were run. */
  dispatches: number;
  passes: number;
  /** Calls of `queue.submit`. */
  submits: number;
  bindGroups: number;
  pipelines: number;
  /** Bytes from the host to the device. */
  bytesUploaded: number;
  /** Bytes from the device to the host. */
  bytesRead: number;
  /** Bytes in live buffers now, and at the highest. */
  bytes: number;
  peakBytes: number;
  /** Bytes of weights on their way through the host now, and at the highest. */
  hostBytes: number;
  peakHostBytes: number;
  /** Both together at the highest. */
  peakTotalBytes: number;
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
  hostBytes: 0,
  peakHostBytes: 0,
  peakTotalBytes: 0,
}); // prettier-ignore

/** Counts memory that was taken, or given back, on the device or on the host. */
export function countBytes(counters: Counters, where: 'bytes' | 'hostBytes', change: number): void {
  counters[where] += change;
  counters.peakBytes = Math.max(counters.peakBytes, counters.bytes);
  counters.peakHostBytes = Math.max(counters.peakHostBytes, counters.hostBytes);
  counters.peakTotalBytes = Math.max(counters.peakTotalBytes, counters.bytes + counters.hostBytes);
}

const LEVELS: readonly string[] = ['bytes', 'peakBytes', 'hostBytes', 'peakHostBytes', 'peakTotalBytes'];

/** How much each counter rose between two readings. Bytes of memory are levels: the later reading stands. */
export function countersSince(before: Counters, after: Counters): Counters {
  const rises = Object.entries(after).map(([name, value]) => [
    name,
    LEVELS.includes(name) ? value : value - before[name as keyof Counters],
  ]);
  return Object.fromEntries(rises) as unknown as Counters;
}
