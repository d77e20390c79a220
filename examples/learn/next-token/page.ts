import { byId, make } from '../../shared/dom.ts';
import { number, percent } from '../../shared/format.ts';
import { showBars } from '../shared/bars.ts';
import { slider, twoDigits } from '../shared/controls.ts';
import { type Desk, latest } from '../shared/lesson.ts';
import { loadGpt } from '../shared/shipped.ts';
import { TokenList, visible } from '../shared/token-list.ts';
import { openPredictions } from './compute.ts';

/** Tokens of a text at the most; bars. */
const [MOST, BEST] = [64, 12];

export async function start(desk: Desk): Promise<void> {
  const model = await loadGpt(desk.engine);
  await desk.engine.loadOps('reduce', 'select');
  const predict = await openPredictions(model, MOST, BEST);
  const text = byId('text', HTMLTextAreaElement);
  const piece = (id: number): string => model.tokenizer.decode([id]);
  let ids: readonly number[] = [];
  let found: Awaited<ReturnType<typeof predict>> | undefined;

  const show = latest(desk, async () => {
    // An empty text begins as the model's texts do: with its first token.
    const given = model.tokenizer.encode(text.value).slice(0, MOST);
    const now = given.length ? given : [0];
    found = await predict(now, temperature.value);
    ids = now;
    const { likely, tokens, came } = found;
    showBars(
      byId('bars', HTMLElement),
      Array.from(tokens, (id, i) => ({
        label: make('code', {}, visible(piece(id))),
        share: likely[i]!,
        said: percent(likely[i]!),
      })),
    );
    const sum = likely.reduce((a, b) => a + b, 0);
    byId('said', HTMLOutputElement).textContent =
      `After ${ids.length} ${ids.length === 1 ? 'token' : 'tokens'}, at temperature ${twoDigits(temperature.value)}: “${visible(piece(tokens[0]!))}” with ${percent(likely[0]!)}. These ${BEST} have ${percent(sum)} together.`;
    list.show(ids.map(piece), ids.length - 1);
    list.shade([0, ...came.subarray(0, ids.length - 1)], (i) => (i ? percent(came[i - 1]!) : 'the first'));
    surprise();
  });

  const surprise = (): void => {
    if (!found) return;
    const at = list.chosen;
    const shares = found.came.subarray(0, ids.length - 1);
    const loss = shares.reduce((sum, share) => sum - Math.log(share), 0) / shares.length;
    const here = at
      ? `“${visible(piece(ids[at]!))}” had ${percent(found.came[at - 1]!)}.`
      : 'Of the first token nothing was expected.';
    byId('surprise', HTMLOutputElement).textContent = shares.length
      ? `${here} Loss ${twoDigits(loss)}, perplexity ${number(Math.exp(loss))}.`
      : here;
  };
  const append = (id: number | undefined): void => {
    if (id === undefined) return;
    // No more than the network reads here: the oldest go.
    text.value = model.tokenizer.decode([...ids, id].slice(-MOST));
    text.scrollTop = text.scrollHeight;
    void show();
  };
  const list = new TokenList(byId('tokens', HTMLElement), surprise);
  const temperature = slider('temperature', show);
  byId('take', HTMLButtonElement).addEventListener('click', () => append(found?.tokens[0]));
  byId('draw', HTMLButtonElement).addEventListener('click', () => append(found && drawn(found.next)));
  text.addEventListener('input', show);
  await show();
}

/** A token drawn by its probability. */
function drawn(probabilities: Float32Array): number {
  let left = Math.random();
  const id = probabilities.findIndex((share) => {
    left -= share;
    return left < 0;
  });
  return id < 0 ? probabilities.length - 1 : id;
}
