import { byId } from '../../shared/dom.ts';
import { bytes, percent } from '../../shared/format.ts';
import { showBars } from '../shared/bars.ts';
import { choice } from '../shared/controls.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { loadResnet, resnetFiles, samplePicture } from '../shared/shipped.ts';
import { compare } from './compute.ts';

export async function start(desk: Desk): Promise<void> {
  const [files, picture] = await Promise.all([resnetFiles(), samplePicture('cat')]);
  const show = latest(desk, async () => {
    const [dtype, groups] = [type.value as 'int8' | 'int4' | 'float16', Number(group.value)];
    const isInteger = dtype !== 'float16';
    group.disabled = !isInteger;
    // The first convolution has 27 weights a channel, too few for groups.
    const groupSize = isInteger && groups ? { groupSize: groups as 32 | 64 } : {};
    using model = await loadResnet(desk.engine, files, { dtype, ...groupSize });
    const { layers, float32, device } = await compare(model, picture);
    const [best] = await model.classify(picture, { topK: 1 });
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
    const last = layers.at(-1)!;
    byId('said', HTMLOutputElement).textContent =
      `${dtype}${groupSize.groupSize ? ` in groups of ${groupSize.groupSize}` : ''}: ${bytes(device)} instead of ${bytes(float32)}. The scores are off by ${digits(last.output)}; the picture is still a ${best!.label}, with ${percent(best!.probability)}.`;
  });
  const [type, group] = [choice('dtype', show), choice('group', show)];
  await show();
}

/** `0.81 %`: three digits that count. */
const digits = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
