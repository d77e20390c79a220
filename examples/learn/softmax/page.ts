import { byId } from '../../shared/dom.ts';
import { percent } from '../../shared/format.ts';
import { showBars } from '../shared/bars.ts';
import { slider, twoDigits } from '../shared/controls.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { Plot } from '../shared/plot.ts';
import { buildSoftmax } from './compute.ts';

const NAMES = ['cat', 'dog', 'horse', 'frog', 'ship', 'truck'];

/** The temperatures of the plot: 0.1 to 5, in equal factors. */
const TEMPERATURES = Array.from({ length: 60 }, (_, i) => 0.1 * 50 ** (i / 59));

export async function start(desk: Desk): Promise<void> {
  const run = await buildSoftmax(desk.engine, NAMES.length, 1 + TEMPERATURES.length);
  const plot = new Plot(byId('plot', HTMLElement));
  const show = latest(desk, async () => {
    const chosen = temperature.value;
    const values = scores.map(({ value }) => value);
    const p = await run({ scores: values, temperatures: [chosen, ...TEMPERATURES] });
    const now = p.subarray(0, NAMES.length);
    showBars(
      byId('bars', HTMLElement),
      NAMES.map((label, i) => ({ label, share: now[i]!, said: percent(now[i]!) })),
    );
    const best = now.indexOf(Math.max(...now));
    byId('said', HTMLOutputElement).textContent =
      `Likeliest is “${NAMES[best]}” with ${percent(now[best]!)}. All six add up to ${twoDigits(now.reduce((sum, share) => sum + share, 0))}.`;
    const row = (t: number): Float32Array => p.subarray((t + 1) * NAMES.length, (t + 2) * NAMES.length);
    plot.show({
      x: { name: 'temperature', from: 0.1, to: 5, log: true, ticks: [0.1, 0.2, 0.5, 1, 2, 5] },
      y: { name: 'probability', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] },
      lines: NAMES.map((name, i) => ({
        name,
        points: TEMPERATURES.map((t, at) => [t, row(at)[i]!] as const),
        series: 1 + (i % 4),
        dashed: i > 3,
      })),
      mark: [chosen, now[best]!],
      label: `Probabilities of the six by temperature. At ${twoDigits(chosen)}: ${NAMES.map((name, i) => `${name} ${percent(now[i]!)}`).join(', ')}`,
    });
  });
  const temperature = slider('temperature', show);
  const scores = NAMES.map((_, i) => slider(`s${i}`, show));
  await show();
}
