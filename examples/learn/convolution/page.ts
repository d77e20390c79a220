import { byId, make } from '../../shared/dom.ts';
import { choice, slider, twoDigits, wholeNumber } from '../shared/controls.ts';
import { HeatMap } from '../shared/heat-map.ts';
import { type Desk, latest, remembered } from '../shared/lesson.ts';
import { WEIGHTS } from '../shared/shipped.ts';
import { buildConvolution } from './compute.ts';

const SIDE = 32;

const PRESETS: Readonly<Record<string, readonly number[]>> = {
  edges: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  vertical: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  horizontal: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  blur: new Array(9).fill(1 / 9),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  emboss: [-2, -1, 0, -1, 1, 1, 0, 1, 2],
};

/** What is on the page: it changes with the controls. */
interface Shown {
  picture: Float32Array;
  result: { values: Float32Array; side: number };
}

export async function start(desk: Desk): Promise<void> {
  const pictures = new Map<string, Promise<Float32Array>>();
  const convolutions = new Map<string, ReturnType<typeof buildConvolution>>();
  const [picture, result] = ['picture', 'result'].map((id) => new HeatMap(byId(id, HTMLCanvasElement))) as [
    HeatMap,
    HeatMap,
  ];
  const shown: Shown = { picture: new Float32Array(SIDE * SIDE), result: { values: new Float32Array(), side: SIDE } };
  const weights = Array.from({ length: 9 }, (_, i) => {
    const input = make('input', {
      type: 'number',
      step: 'any',
      'aria-label': `Weight in row ${1 + Math.floor(i / 3)}, column ${1 + (i % 3)}`,
    });
    input.addEventListener('input', () => {
      preset.value = 'own';
      void show();
    });
    return input;
  });
  byId('filter', HTMLElement).append(...weights);

  const step = (): number => Number(stride.value);
  const border = (): number => (byId('padding', HTMLInputElement).checked ? 1 : 0);
  const filterNow = (): number[] =>
    weights.map(({ valueAsNumber }) => (Number.isFinite(valueAsNumber) ? valueAsNumber : 0));

  const show = latest(desk, async () => {
    const [name, key] = [sample.value, `${step()} ${border()}`];
    const filter = filterNow();
    shown.picture = await remembered(pictures, name, () => greyPicture(name));
    const run = await remembered(convolutions, key, () => buildConvolution(desk.engine, SIDE, step(), border()));
    shown.result = await run({ picture: shown.picture, filter });
    const { values, side } = shown.result;
    picture.show({
      values: shown.picture,
      columns: SIDE,
      most: 1,
      grey: true,
      label: `A grey picture of ${SIDE} by ${SIDE}`,
    });
    result.show({
      values,
      columns: side,
      label: `The result, ${side} by ${side}, for the weights ${filter.map(twoDigits).join(', ')}`,
    });
    for (const place of [row, column]) {
      place.input.max = String(side - 1);
      place.value = Math.min(place.value, side - 1);
    }
    point();
  });

  /** Says what the window's nine products are. */
  const point = (): void => {
    const { values, side } = shown.result;
    const [y, x] = [row.value, column.value];
    const [top, left] = [y * step() - border(), x * step() - border()];
    place('window', top, left, 3, SIDE);
    place('pixel', y, x, 1, side);
    const filter = filterNow();
    const products = filter.map((weight, i) => {
      const [py, px] = [top + Math.floor(i / 3), left + (i % 3)];
      const inside = py >= 0 && px >= 0 && py < SIDE && px < SIDE;
      return make('span', {}, `${twoDigits(inside ? shown.picture[py * SIDE + px]! : 0)} × ${twoDigits(weight)}`);
    });
    byId('products', HTMLElement).replaceChildren(...products);
    byId('sum', HTMLOutputElement).textContent =
      `Row ${y}, column ${x}: the nine products add up to ${values[y * side + x]!.toFixed(3).replace('-', '−')}.`;
  };

  const [row, column] = [slider('row', point, wholeNumber), slider('column', point, wholeNumber)];
  const takePreset = (): void => {
    PRESETS[preset.value]?.forEach((weight, i) => {
      weights[i]!.value = String(Number(weight.toFixed(3)));
    });
    void show();
  };
  const [sample, stride, preset] = [choice('sample', show), choice('stride', show), choice('preset', takePreset)];
  byId('padding', HTMLInputElement).addEventListener('change', show);
  byId('result', HTMLCanvasElement).addEventListener('click', (event) => {
    const { left, top, width, height } = byId('result', HTMLCanvasElement).getBoundingClientRect();
    const at = (share: number): number =>
      Math.max(0, Math.min(shown.result.side - 1, Math.floor(share * shown.result.side)));
    row.value = at((event.clientY - top) / height);
    column.value = at((event.clientX - left) / width);
    point();
  });
  play(() => {
    const { side } = shown.result;
    const next = (row.value * side + column.value + 1) % (side * side);
    row.value = Math.floor(next / side);
    column.value = next % side;
    point();
  });
  takePreset();
  await show();
}

/** The button that steps the window on, ten times a second, until it is pressed again. */
function play(step: () => void): void {
  const button = byId('play', HTMLButtonElement);
  let timer: ReturnType<typeof setInterval> | undefined;
  button.addEventListener('click', () => {
    if (timer === undefined) timer = setInterval(step, 100);
    else {
      clearInterval(timer);
      timer = undefined;
    }
    button.setAttribute('aria-pressed', String(timer !== undefined));
    button.textContent = timer === undefined ? 'Step over the picture' : 'Stop';
  });
}

/** Lays a frame over a picture of `of` numbers a side. */
function place(id: string, top: number, left: number, size: number, of: number): void {
  const { style } = byId(id, HTMLElement);
  for (const [name, value] of Object.entries({ top, left, size }))
    style.setProperty(`--${name}`, `${(100 * value) / of}%`);
}

/** A sample as 32 by 32 numbers of 0 to 1: how light it is (the weights are those of ITU-R BT.601). */
async function greyPicture(name: string): Promise<Float32Array> {
  const response = await fetch(new URL(`samples/${name}.png`, WEIGHTS));
  const bitmap = await createImageBitmap(await response.blob(), {
    resizeWidth: SIDE,
    resizeHeight: SIDE,
    resizeQuality: 'high',
  });
  const context = new OffscreenCanvas(SIDE, SIDE).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from(
    { length: SIDE * SIDE },
    (_, i) => (0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!) / 255,
  );
}
