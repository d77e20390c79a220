import { expect, it, vi } from 'vitest';
import type { Progress } from '../../src/tensor/progress.ts';
import { timed } from '../../src/tensor/timed.ts';

it('each phase has the time left at the speed that it had', () => {
  const now = vi.spyOn(performance, 'now');
  const seen: (number | undefined)[] = [];
  const tell = timed(({ secondsLeft }: Progress) => seen.push(secondsLeft));
  const at = (ms: number, phase: Progress['phase'], loaded: number): void => {
    now.mockReturnValue(ms);
    tell({ phase, loaded, total: 1000 });
  };
  at(5000, 'fetch', 100); // the beginning: nothing is known of its speed
  at(6000, 'fetch', 300);
  at(6000, 'upload', 0);
  at(8000, 'upload', 500);
  at(9500, 'fetch', 1000);
  now.mockRestore();
  expect(seen).toEqual([undefined, 3.5, undefined, 2, 0]);
});
