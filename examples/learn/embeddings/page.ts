import { byId, make } from '../../shared/dom.ts';
import { showBars } from '../shared/bars.ts';
import { twoDigits } from '../shared/controls.ts';
import { HeatMap } from '../shared/heat-map.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { withProgress } from '../shared/shipped.ts';
import { gptTensor, gptTokenizer } from '../shared/tensors.ts';
import { TokenList, visible } from '../shared/token-list.ts';
import { buildNeighbours } from './compute.ts';

/** The token itself, and ten others. */
const NEAR = 11;

export async function start(desk: Desk): Promise<void> {
  const [neighbours, tokenizer] = await withProgress(() =>
    Promise.all([gptTensor('wte.weight').then((table) => buildNeighbours(desk.engine, table, NEAR)), gptTokenizer()]),
  );
  const map = new HeatMap(byId('vector', HTMLCanvasElement));
  const text = byId('text', HTMLInputElement);
  const piece = (id: number): string => tokenizer.decode([id]);
  let ids: readonly number[] = [];

  const show = latest(desk, async () => {
    const id = ids[list.chosen];
    if (id === undefined) return;
    const { vector, cosine, tokens } = await neighbours(id);
    const others = [...tokens].map((token, i) => ({ token, cosine: cosine[i]! })).filter(({ token }) => token !== id);
    showBars(
      byId('near', HTMLElement),
      others.slice(0, NEAR - 1).map((other) => ({
        label: make('code', {}, visible(piece(other.token))),
        share: other.cosine,
        said: twoDigits(other.cosine),
      })),
    );
    map.show({
      values: vector,
      columns: 16,
      label: `The ${vector.length} numbers of the vector of “${visible(piece(id))}”`,
    });
    byId('said', HTMLOutputElement).textContent =
      `“${visible(piece(id))}” is token ${id}. Nearest is “${visible(piece(others[0]!.token))}”, with a cosine of ${others[0]!.cosine.toFixed(3)}.`;
  });

  const list = new TokenList(byId('tokens', HTMLElement), show);
  const read = (): Promise<void> => {
    ids = tokenizer.encode(text.value).slice(0, 64);
    list.show(ids.map(piece), Math.min(1, ids.length - 1));
    return show();
  };
  text.addEventListener('input', read);
  await read();
}
