import { byId, make } from '../../shared/dom.ts';
import { percent } from '../../shared/format.ts';
import { slider, wholeNumber } from '../shared/controls.ts';
import { HeatMap } from '../shared/heat-map.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { loadGpt } from '../shared/shipped.ts';
import { TokenList, visible } from '../shared/token-list.ts';
import { openHeads } from './compute.ts';

/** Tokens of a text at the most. */
const MOST = 48;

export async function start(desk: Desk): Promise<void> {
  const model = await loadGpt(desk.engine);
  await desk.engine.loadOps('join', 'movement', 'reduce');
  const look = await openHeads(model, MOST);
  const { heads } = model.shape;
  const text = byId('text', HTMLInputElement);
  const piece = (id: number): string => model.tokenizer.decode([id]);
  let head = 0;
  let ids: readonly number[] = [];
  let found: Float32Array[] = [];

  const buttons = Array.from({ length: heads }, (_, i) => {
    const canvas = make('canvas', { class: 'heat', width: 1, height: 1 });
    const button = make('button', { type: 'button', 'aria-pressed': String(i === 0) }, canvas, `Head ${i}`);
    button.addEventListener('click', () => {
      head = i;
      for (const [other, { button }] of buttons.entries()) button.setAttribute('aria-pressed', String(other === i));
      shade();
    });
    return { button, map: new HeatMap(canvas) };
  });
  byId('heads', HTMLElement).replaceChildren(...buttons.map(({ button }) => button));

  /** How much the token `row` takes of each, in a head of the layer that is shown. */
  const rowOf = (ofHead: number, row: number): Float32Array => {
    const start = (ofHead * MOST + row) * MOST;
    return found[layer.value]!.subarray(start, start + ids.length);
  };
  const shade = (): void => {
    if (!ids.length) return;
    const shares = rowOf(head, list.chosen);
    const said = (i: number): string => `${percent(shares[i]!)} of “${visible(piece(ids[i]!))}”`;
    list.shade(shares, said);
    const best = [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!).slice(0, 3);
    byId('said', HTMLOutputElement).textContent =
      `Layer ${layer.value}, head ${head}: “${visible(piece(ids[list.chosen]!))}” takes in ${best.map(said).join(', ')}.`;
  };
  const draw = (): void => {
    const count = ids.length;
    buttons.forEach(({ map }, i) => {
      const rows = Array.from({ length: count }, (_, row) => [...rowOf(i, row)]).flat();
      map.show({
        values: rows,
        columns: Math.max(1, count),
        most: 0.5,
        label: `Head ${i}: ${count} tokens by ${count}`,
      });
    });
    shade();
  };
  const read = latest(desk, async () => {
    ids = model.tokenizer.encode(text.value).slice(0, MOST);
    found = await look(ids);
    list.show(ids.map(piece), ids.length - 1);
    draw();
  });
  const list = new TokenList(byId('tokens', HTMLElement), shade);
  const layer = slider('layer', () => draw(), wholeNumber);
  text.addEventListener('input', read);
  await read();
}
