import { byId } from '../../shared/dom.ts';
import { whole } from '../../shared/format.ts';
import { radios, slider, twoDigits, wholeNumber } from '../shared/controls.ts';
import { HeatMap, largest } from '../shared/heat-map.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { Plot } from '../shared/plot.ts';
import { withProgress } from '../shared/shipped.ts';
import { gptTensor } from '../shared/tensors.ts';
import { buildPositions } from './compute.ts';

const POSITIONS = 256;
const WIDTH = 192;

export async function start(desk: Desk): Promise<void> {
  const run = await withProgress(async () => buildPositions(desk.engine, await gptTensor('wpe.weight')));
  const map = new HeatMap(byId('table', HTMLCanvasElement));
  const plot = new Plot(byId('plot', HTMLElement));
  const show = latest(desk, async () => {
    const [chosen, slow] = [position.value, 10 ** base.value];
    const { learned, sinusoids, learnedAlike, sinusoidsAlike } = await run(slow, chosen);
    const isLearned = kind.value === 'learned';
    map.show({
      values: isLearned ? learned : sinusoids,
      columns: WIDTH,
      most: isLearned ? largest(learned) / 3 : 1,
      label: isLearned ? 'The learned vectors of 256 positions' : `Sinusoids of 256 positions, base ${whole(slow)}`,
    });
    const line = (values: Float32Array) => Array.from(values, (value, at) => [at, value] as const);
    plot.show({
      x: { name: 'position', from: 0, to: POSITIONS - 1, ticks: [0, 50, 100, 150, 200, 250] },
      y: { name: 'cosine', from: -0.5, to: 1, ticks: [-0.5, 0, 0.5, 1] },
      lines: [
        { name: 'learned', points: line(learnedAlike), series: 1 },
        { name: 'sinusoids', points: line(sinusoidsAlike), series: 2 },
      ],
      mark: [chosen, 1],
      label: `How alike the vectors of all positions are to that of position ${chosen}`,
    });
    const beside = chosen < POSITIONS - 1 ? chosen + 1 : chosen - 1;
    byId('said', HTMLOutputElement).textContent =
      `Position ${chosen} beside ${beside}: learned ${twoDigits(learnedAlike[beside]!)}, sinusoids ${twoDigits(sinusoidsAlike[beside]!)}. Beside 0: ${twoDigits(learnedAlike[0]!)} and ${twoDigits(sinusoidsAlike[0]!)}.`;
  });
  const kind = radios('kind', show);
  const base = slider('base', show, (value) => whole(10 ** value));
  const position = slider('position', show, wholeNumber);
  await show();
}
