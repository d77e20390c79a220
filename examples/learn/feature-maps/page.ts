import { decodePicture } from '../../../src/vision/decode.ts';
import { preprocess } from '../../../src/vision/preprocess.ts';
import { byId, make } from '../../shared/dom.ts';
import { acceptDrops, fileButton } from '../../shared/drop.ts';
import { percent } from '../../shared/format.ts';
import { slider } from '../shared/controls.ts';
import { HeatMap, tiles } from '../shared/heat-map.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { loadResnet, RESNET_FILES, samplePicture, shippedFiles, WEIGHTS } from '../shared/shipped.ts';
import { openLayers } from './compute.ts';

export async function start(desk: Desk): Promise<void> {
  const model = await loadResnet(desk.engine, await shippedFiles('resnet20-cifar10', RESNET_FILES));
  const { preprocessing } = model;
  const layers = await openLayers(model);
  const names = Object.keys(layers.shapes);
  const maps = new HeatMap(byId('maps', HTMLCanvasElement));
  let picture: Blob = await samplePicture('cat');
  let seen: { of: Blob; values: Record<string, Float32Array> } | undefined;

  const show = latest(desk, async () => {
    if (seen?.of !== picture) {
      const of = picture;
      const image = preprocess([await decodePicture(of)], preprocessing);
      seen = { of, values: await layers.run(image) };
      showSeen(image, preprocessing);
      const [best] = model.rank(seen.values['logits']!, 1);
      byId('best', HTMLElement).textContent = `It says: ${best!.label}, ${percent(best!.probability)}.`;
    }
    const name = names[layer.value]!;
    const [channels, side] = layers.shapes[name] as [number, number];
    const label = `${name}: ${channels} maps of ${side} by ${side}`;
    maps.show({ ...tiles(seen.values[name]!, side, Math.sqrt(channels) % 1 ? 8 : Math.sqrt(channels)), label });
    byId('shape', HTMLElement).textContent = `${label}, ${percent(silent(seen.values[name]!))} of their numbers zero`;
  });

  const layer = slider('layer', show, (value) => names[value] ?? '');
  layer.input.max = String(names.length - 1);
  const take = (blob: Blob, pressed?: HTMLElement): void => {
    picture = blob;
    for (const button of byId('samples', HTMLElement).querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button === pressed));
    void show();
  };
  const own = ([file]: readonly File[]): void => file && take(file);
  byId('own', HTMLElement).append(...fileButton('Open a picture…', own, { accept: 'image/*', multiple: false }));
  acceptDrops(own);
  await showSamples(take);
  await show();
}

const silent = (values: Float32Array): number =>
  values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0) / values.length;

/** What went into the network, as a picture again. */
function showSeen(image: Float32Array, { mean, std }: { mean: readonly number[]; std: readonly number[] }): void {
  const side = Math.sqrt(image.length / 3);
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = 255 * (image[c * side * side + i]! * std[c]! + mean[c]!);
    pixels.data[4 * i + 3] = 255;
  }
  byId('seen', HTMLCanvasElement).getContext('2d')!.putImageData(pixels, 0, 0);
}

async function showSamples(take: (blob: Blob, pressed: HTMLElement) => void): Promise<void> {
  const list = (await (await fetch(new URL('samples/samples.json', WEIGHTS))).json()) as {
    file: string;
    label: string;
    title: string;
  }[];
  const items = list.map(({ file, label, title }) => {
    const src = new URL(`samples/${file}`, WEIGHTS).href;
    const pressed = String(label === 'cat');
    const button = make(
      'button',
      { type: 'button', title, 'aria-pressed': pressed },
      make('img', { src, alt: title, width: 256, height: 256 }),
    );
    button.addEventListener('click', async () => take(await samplePicture(label), button));
    return make('li', {}, button);
  });
  byId('samples', HTMLElement).replaceChildren(...items);
}
