import { type TextGenerator, TilewrightError } from '../../src/index.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, copyOnClick, facts, make } from '../shared/dom.ts';
import { acceptDrops } from '../shared/drop.ts';
import { bytes, count, milliseconds, number, whole } from '../shared/format.ts';
import { type Loaded, ModelLoader, modelFor } from '../shared/loader.ts';
import { ModelPicker } from '../shared/model-picker.ts';
import { ProblemBox } from '../shared/problem.ts';
import { showValues } from '../shared/sampling.ts';
import { readSettings } from './settings.ts';

const WEIGHTS = new URL('../../weights/', document.baseURI);

const problems = new ProblemBox(byId('problem', HTMLElement));
const prompt = byId('prompt', HTMLTextAreaElement);
const text = byId('text', HTMLElement);
const speed = byId('speed', HTMLElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const form = byId('form', HTMLFormElement);

const loader = new ModelLoader<TextGenerator>({
  open: modelFor('text-generation', 'The page Classify takes models for pictures.'),
  progress: byId('progress', HTMLElement),
  problems,
  onLoaded(loaded) {
    writing?.abort();
    showFacts(loaded);
    go.disabled = false;
    if (!text.textContent) void write();
  },
});
const picker = new ModelPicker({
  offers: [{ name: 'Shakespeare', source: new URL('gpt-shakespeare/', WEIGHTS).href }],
  dtypes: ['float32', 'int8'],
  onChoose(choice) {
    writing?.abort();
    void loader.load(choice);
  },
});

function showFacts({ model, ms }: Loaded<TextGenerator>): void {
  const { info, shape } = model;
  const { file, device } = info.weightBytes;
  byId('facts', HTMLElement).replaceChildren(
    facts({
      Network: `${info.architecture}, ${shape.layers} layers of ${shape.width}`,
      Vocabulary: `${whole(shape.vocabulary)} tokens`,
      Context: `${whole(shape.context)} tokens`,
      Parameters: count(info.parameters),
      'One token': `${count(info.macs)} MAC`,
      'Weights, file': bytes(file),
      'Weights, GPU': bytes(device),
      'Ready after': milliseconds(ms),
    }),
  );
}

let writing: AbortController | undefined;

/** Streams a text from the prompt until it ends, is stopped, or fails: what was written stays. */
async function write(): Promise<void> {
  const model = loader.current?.model;
  if (!model || writing) return;
  writing = new AbortController();
  const { signal } = writing;
  problems.clear();
  showWriting(true);
  text.replaceChildren(make('span', { class: 'given' }, prompt.value));
  speed.textContent = 'Reading the prompt';
  const start = performance.now();
  let [first, tokens, limit] = [start, 0, ''];
  const rate = (): string =>
    tokens > 1 ? `${number((1000 * (tokens - 1)) / (performance.now() - first))} tokens/s` : '';
  const shown = (...parts: string[]): string => [...parts, limit].filter(Boolean).join(' · ');
  try {
    const settings = readSettings();
    const room = model.context - model.tokenizer.encode(prompt.value).length + 1;
    if (settings.overflow === 'stop' && settings.maxNewTokens! > room)
      limit = `no more than ${whole(room)} fit: the context is ${whole(model.context)}`;
    for await (const token of model.generate(prompt.value, { ...settings, signal })) {
      if (tokens++ === 0) first = performance.now();
      text.append(make('span', { class: 'token' }, token.text));
      if (tokens % 8 === 1) speed.textContent = shown(rate());
    }
    speed.textContent = shown(summary(tokens, rate(), first - start));
  } catch (error) {
    const stopped = signal.aborted;
    speed.textContent = tokens || stopped ? `Stopped · ${summary(tokens, rate(), first - start)}` : '';
    if (!stopped)
      problems.show(
        error,
        error instanceof TilewrightError && error.code === 'device-lost' ? () => loader.load(picker.choice) : undefined,
      );
  } finally {
    writing = undefined;
    showWriting(false);
  }
}

const summary = (tokens: number, rate: string, firstMs: number): string =>
  [`${whole(tokens)} tokens`, rate, tokens ? `first after ${milliseconds(firstMs)}` : ''].filter(Boolean).join(' · ');

function showWriting(on: boolean): void {
  const focused = document.activeElement === (on ? go : stop);
  go.hidden = on;
  stop.hidden = !on;
  copy.disabled = on;
  text.setAttribute('aria-busy', String(on));
  if (focused) (on ? stop : go).focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void write();
});
prompt.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void write();
});
stop.addEventListener('click', () => writing?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') writing?.abort();
});
copyOnClick(copy, () => text.textContent ?? '');
byId('tiles', HTMLInputElement).addEventListener('change', (event) => {
  text.classList.toggle('tiles', (event.target as HTMLInputElement).checked);
});
for (const button of document.querySelectorAll('#suggestions button'))
  button.addEventListener('click', () => {
    prompt.value = `${button.textContent}\n`;
    prompt.focus();
  });
acceptDrops((files) => picker.chooseFiles(files));
showValues();

const availability = await showAdapter();
if (availability.available) {
  byId('picker', HTMLElement).replaceChildren(picker.element);
  await loader.load(picker.choice);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
