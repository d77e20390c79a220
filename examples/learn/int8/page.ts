import { byId } from '../../shared/dom.ts';
import { bytes } from '../../shared/format.ts';
import { showBars } from '../shared/bars.ts';
import { choice } from '../shared/controls.ts';
import { type Desk, latest, remembered } from '../shared/lesson.ts';
import { GPT_FILES, loadFiles, RESNET_FILES, samplePicture, shippedFiles } from '../shared/shipped.ts';
import { compare } from './compute.ts';

/** The networks, and what each is run on. */
const NETWORKS = {
  'resnet20-cifar10': { files: RESNET_FILES, sample: () => samplePicture('cat') },
  'gpt-shakespeare': { files: GPT_FILES, sample: async () => 'To be, or not to be: that is the question.' },
};

export async function start(desk: Desk): Promise<void> {
  const files = new Map<string, ReturnType<typeof shippedFiles>>();
  const show = latest(desk, async () => {
    const [name, dtype, group] = weights.value.split(' ') as [keyof typeof NETWORKS, 'int8' | 'int4', string?];
    const network = NETWORKS[name];
    const from = await remembered(files, name, () => shippedFiles(name, network.files));
    using model = await loadFiles(desk.engine, from, { dtype, ...(group && { groupSize: Number(group) as 32 | 128 }) });
    const { layers, scores, float32, device } = await compare(model, await network.sample());
    const most = Math.max(...layers.flatMap(({ weights, output }) => [weights, output]));
    showBars(
      byId('bars', HTMLElement),
      layers.map(({ name, weights, output }) => ({
        label: name,
        share: output / most,
        second: weights / most,
        said: `${digits(output)} · ${digits(weights)}`,
      })),
    );
    byId('said', HTMLOutputElement).textContent =
      `${weights.selectedOptions[0]!.text}: ${bytes(device)} instead of ${bytes(float32)}. The scores at the end are off by ${digits(scores)}.`;
  });
  const weights = choice('weights', show);
  await show();
}

/** `0.81 %`: three digits that count. */
const digits = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
