import type { OnProgress } from './progress.ts';

/** Adds the time that each phase has left. */
export function timed(onProgress: OnProgress): OnProgress {
  const starts = new Map<string, readonly [time: number, loaded: number]>();
  return (progress) => {
    const { phase, loaded, total } = progress;
    const now = performance.now();
    const [time, from] = starts.get(phase) ?? [now, loaded];
    if (time === now) starts.set(phase, [now, loaded]);
    const secondsLeft = ((total - loaded) * (now - time)) / (loaded - from) / 1000;
    onProgress({ ...progress, ...(loaded > from && { secondsLeft }) });
  };
}
