import { byId } from '../../shared/dom.ts';
import { bytes, milliseconds } from '../../shared/format.ts';
import { linearTicks } from '../../shared/scale.ts';
import { slider, wholeNumber } from '../shared/controls.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { Plot } from '../shared/plot.ts';
import { loadGpt } from '../shared/shipped.ts';
import { bytesOfToken, type Timing, withCache, withoutCache } from './compute.ts';

const PROMPT = 'ROMEO:\n';

export async function start(desk: Desk): Promise<void> {
  const model = await loadGpt(desk.engine);
  const prompt = model.tokenizer.encode(PROMPT);
  const [time, memory] = [new Plot(byId('plot', HTMLElement)), new Plot(byId('bytes', HTMLElement))];
  const button = byId('go', HTMLButtonElement);
  await withoutCache(model, prompt); // the first run of all takes longer

  const measure = latest(desk, async () => {
    button.disabled = true;
    try {
      const [kept, again]: [Timing[], Timing[]] = [[], []];
      const written: number[] = [];
      for await (const step of withCache(model, prompt, count.value)) {
        written.push(step.token);
        // The first token waits for the prompt too.
        if (written.length > 1) kept.push(step);
        draw(time, kept, again, count.value);
      }
      let same = true;
      const steps = Math.max(1, Math.round(written.length / 16));
      for (let i = 1; i < written.length; i += steps) {
        const step = await withoutCache(model, [...prompt, ...written.slice(0, i)]);
        same &&= step.token === written[i];
        again.push(step);
        draw(time, kept, again, count.value);
      }
      byId('said', HTMLOutputElement).textContent =
        `${written.length} tokens, ${same ? 'the same' : 'not the same'} both ways. The last took ${milliseconds(mean(kept.slice(-4)))} with the cache, ${milliseconds(mean(again.slice(-2)))} without.`;
      await showBytes(written.length + prompt.length);
    } finally {
      button.disabled = false;
    }
  });
  const showBytes = async (length: number): Promise<void> => {
    const { states } = await model.deviceBytes();
    const each = bytesOfToken(model);
    const { context } = model;
    memory.show({
      x: { name: 'tokens', from: 0, to: context, ticks: [0, 64, 128, 192, 256] },
      y: { name: 'MB', from: 0, to: 3, ticks: [0, 1, 2, 3] },
      lines: [
        {
          name: 'filled',
          points: [
            [0, 0],
            [context, (each * context) / 1e6],
          ],
          series: 1,
        },
        {
          name: 'taken on the device',
          points: [
            [0, states / 1e6],
            [context, states / 1e6],
          ],
          series: 2,
          dashed: true,
        },
      ],
      mark: [length, (each * length) / 1e6],
      label: `Bytes of the cache by tokens: ${bytes(each)} each`,
    });
    byId('taken', HTMLOutputElement).textContent =
      `A token leaves ${bytes(each)}; ${length} tokens fill ${bytes(each * length)} of the ${bytes(states)} that are taken for ${context}.`;
  };
  const count = slider('count', () => {}, wholeNumber);
  button.addEventListener('click', measure);
  await measure();
}

const mean = (steps: readonly Timing[]): number =>
  steps.reduce((sum, { ms }) => sum + ms, 0) / Math.max(1, steps.length);

function draw(plot: Plot, kept: readonly Timing[], again: readonly Timing[], count: number): void {
  const most = Math.max(1, ...kept.map(({ ms }) => ms), ...again.map(({ ms }) => ms));
  const points = (steps: readonly Timing[]) => steps.map(({ length, ms }) => [length, ms] as const);
  plot.show({
    x: { name: 'tokens before', from: 0, to: count + 8, ticks: linearTicks(0, count + 8) },
    y: { name: 'ms a token', from: 0, to: 1.1 * most, ticks: linearTicks(0, 1.1 * most, 4) },
    lines: [
      { name: 'with the cache', points: points(kept), series: 1 },
      { name: 'without', points: points(again), series: 2 },
    ],
    label: `Milliseconds a token by the length of the text, ${kept.length} with the cache, ${again.length} without`,
  });
}
