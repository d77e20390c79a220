import type { ImageClassifier } from '../../../src/index.ts';
import { byId } from '../../shared/dom.ts';
import { count, milliseconds, number, percent } from '../../shared/format.ts';
import { showBars } from '../shared/bars.ts';
import { slider, wholeNumber } from '../shared/controls.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { loadResnet, RESNET_FILES, shippedFiles } from '../shared/shipped.ts';
import { countLayers, timeLayers, timeRuns } from './compute.ts';

export async function start(desk: Desk): Promise<void> {
  const files = await shippedFiles('resnet20-cifar10', RESNET_FILES);
  const config = JSON.parse(await files['config.json']!.text());
  const button = byId('measure', HTMLButtonElement);
  let model: ImageClassifier | undefined;

  const show = latest(desk, async () => {
    button.disabled = true;
    const side = size.value;
    model?.dispose();
    model = await loadResnet(desk.engine, { ...files, 'config.json': sized(config, side) });
    draw(model, new Map());
    const total = countLayers(model).reduce((sum, { macs }) => sum + macs, 0);
    const ms = await timeRuns(model, 7);
    byId('said', HTMLOutputElement).textContent =
      `${side} × ${side} pixels: ${count(total)} MACs, ${count(2 * total)} FLOPs. A picture took ${milliseconds(ms)}: ${number((2 * total) / ms / 1e6)} GFLOPS.`;
    button.disabled = false;
  });
  const measure = latest(desk, async () => {
    if (!model) return;
    button.disabled = true;
    try {
      draw(model, await timeLayers(model));
    } finally {
      button.disabled = false;
    }
  });
  const size = slider('size', show, wholeNumber);
  button.addEventListener('click', measure);
  await show();
}

/** The config of a ResNet that takes pictures of this size: the weights fit any. */
function sized(config: { pretrained_cfg: object }, side: number): Blob {
  const pretrained_cfg = { ...config.pretrained_cfg, input_size: [3, side, side] };
  return new Blob([JSON.stringify({ ...config, pretrained_cfg })]);
}

/** A bar for each layer: its share of the MACs, and of the time where that was measured. */
function draw(model: ImageClassifier, times: ReadonlyMap<string, number>): void {
  const layers = countLayers(model);
  const total = layers.reduce((sum, { macs }) => sum + macs, 0);
  const ms = layers.reduce((sum, { name }) => sum + (times.get(name) ?? 0), 0);
  const shares = layers.map(({ name, macs }) => ({ macs: macs / total, time: ms ? (times.get(name) ?? 0) / ms : 0 }));
  const most = Math.max(...shares.flatMap(({ macs, time }) => [macs, time]));
  showBars(
    byId('bars', HTMLElement),
    layers.map(({ name, macs }, i) => ({
      label: name,
      share: shares[i]!.macs / most,
      said: `${count(2 * macs)} · ${percent(shares[i]!.macs)}${ms ? ` · ${milliseconds(times.get(name) ?? 0)}` : ''}`,
      ...(ms && { second: shares[i]!.time / most }),
    })),
  );
}
