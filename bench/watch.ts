import type { Gpu } from '../src/gpu/gpu.ts';

/** What a run is watched for. */
export interface Watch {
  /** Fires when nothing of the run counts any more. */
  readonly signal: AbortSignal;
  /** Why nothing counts: absent while all is well. */
  reason(): string | undefined;
  stop(): void;
}

/** The part of a document that tells whether the tab is seen. */
export type Visibility = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

/**
 * Watches for what makes a run void: the tab is hidden, which lets browsers slow it, or the device is lost. Without a document,
 * as in Node and in workers, only for the device.
 */
export function watch(
  gpu: Pick<Gpu, 'device'>,
  page: Visibility | undefined = globalThis.document,
  now: () => number = () => performance.now(),
): Watch {
  const start = now();
  const ended = new AbortController();
  let reason: string | undefined;
  let stopped = false;
  const end = (why: string): void => {
    if (stopped || reason !== undefined) return;
    reason = why;
    ended.abort();
  };
  const look = (): void => {
    if (page?.visibilityState === 'hidden')
      end(`the tab was hidden ${((now() - start) / 1000).toFixed(1)} s into the run`);
  };
  page?.addEventListener('visibilitychange', look);
  look();
  void gpu.device.lost.then(({ message }) =>
    end(`the GPU device was lost${message ? `: ${message}` : ''}`.slice(0, 300)),
  );
  return {
    signal: ended.signal,
    reason: () => reason,
    stop() {
      stopped = true;
      page?.removeEventListener('visibilitychange', look);
    },
  };
}

interface Battery {
  readonly charging: boolean;
  readonly level: number;
}

/** `The machine ran on its battery (56 %)`: where the browser tells, and it did. */
export async function batteryNote(
  from: { getBattery?: () => Promise<Battery> } = (globalThis.navigator ?? {}) as object,
): Promise<string | undefined> {
  const battery = await from.getBattery?.().catch(() => undefined);
  if (!battery || battery.charging) return undefined;
  return `The machine ran on its battery, charged to ${Math.round(100 * battery.level)} %: many slow their GPU then.`;
}
