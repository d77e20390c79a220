import { byId, make } from '../../shared/dom.ts';
import { slider, twoDigits, wholeNumber } from '../shared/controls.ts';
import { HeatMap } from '../shared/heat-map.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { buildLayer } from './compute.ts';

/** The pictures have this many pairs of inputs on a side, from −2 to 2. */
const SIDE = 41;
const NEURONS = 6;

/** The inputs of each pixel, row by row from the top. */
const PLANE = Float32Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
  const pixel = i >> 1;
  const step = i % 2 ? SIDE - 1 - Math.floor(pixel / SIDE) : pixel % SIDE;
  return -2 + (4 * step) / (SIDE - 1);
});

export async function start(desk: Desk): Promise<void> {
  await neuron(desk);
  await layer(desk);
}

async function neuron(desk: Desk): Promise<void> {
  // One pair more than the picture has: the inputs of the sliders.
  const run = await buildLayer(desk.engine, SIDE * SIDE + 1, 1);
  const plane = new HeatMap(byId('plane', HTMLCanvasElement));
  const sum = byId('sum', HTMLOutputElement);
  const show = latest(desk, async () => {
    const [a, c, bias] = [w1.value, w2.value, b.value];
    const [p, q] = [x1.value, x2.value];
    const y = await run({ x: Float32Array.of(...PLANE, p, q), weights: [a, c], bias: [bias] });
    const label = `The sum over the plane of inputs, for weights ${twoDigits(a)} and ${twoDigits(c)} and a bias of ${twoDigits(bias)}`;
    plane.show({ values: y.subarray(0, -1), columns: SIDE, most: 6, label });
    sum.textContent = `${twoDigits(a)}·${twoDigits(p)} + ${twoDigits(c)}·${twoDigits(q)} + ${twoDigits(bias)} = ${twoDigits(y.at(-1)!)}`;
  });
  const [w1, w2, b, x1, x2] = [
    slider('w1', show),
    slider('w2', show),
    slider('bias', show),
    slider('x1', show),
    slider('x2', show),
  ];
  await show();
}

async function layer(desk: Desk): Promise<void> {
  const run = await buildLayer(desk.engine, SIDE * SIDE, NEURONS);
  const maps = Array.from({ length: NEURONS }, () => {
    const canvas = make('canvas', { class: 'heat', width: SIDE, height: SIDE });
    byId('neurons', HTMLElement).append(canvas);
    return new HeatMap(canvas);
  });
  const show = latest(desk, async () => {
    const drawn = draw(seed.value, 3 * NEURONS);
    const [weights, bias] = [drawn.slice(0, 2 * NEURONS), drawn.slice(2 * NEURONS)];
    const y = await run({ x: PLANE, weights, bias });
    maps.forEach((map, n) => {
      const label = `Neuron ${n + 1}`;
      map.show({ values: y.filter((_, i) => i % NEURONS === n), columns: SIDE, most: 6, label });
    });
    byId('matrix', HTMLTableElement).replaceChildren(
      ...['w₁', 'w₂', 'b'].map((name, row) =>
        make(
          'tr',
          {},
          make('th', { scope: 'row' }, name),
          ...drawn.slice(row * NEURONS, (row + 1) * NEURONS).map((value) => make('td', {}, twoDigits(value))),
        ),
      ),
    );
  });
  const seed = slider('seed', show, wholeNumber);
  await show();
}

/** Numbers from −2 to 2, always the same for a seed: a linear congruential generator (Numerical Recipes). */
function draw(seed: number, count: number): number[] {
  let state = seed * 7919;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (4 * state) / 2 ** 32 - 2;
  });
}
