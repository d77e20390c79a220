import { TilewrightError } from '../../src/errors.ts';
import type { ChatMessage, Generation, TextGenerator } from '../../src/index.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, make } from '../shared/dom.ts';
import { acceptDrops } from '../shared/drop.ts';
import { bytes, milliseconds, number, whole } from '../shared/format.ts';
import type { Loaded, ModelLoader } from '../shared/loader.ts';
import { type ModelChoice, ModelPicker } from '../shared/model-picker.ts';
import { ProblemBox } from '../shared/problem.ts';
import { readSampling, showValues } from '../shared/sampling.ts';
import { Conversation } from './conversation.ts';
import { OFFERS } from './models.ts';

const problems = new ProblemBox(byId('problem', HTMLElement));
const log = byId('log', HTMLElement);
const message = byId('message', HTMLTextAreaElement);
const system = byId('system', HTMLTextAreaElement);
const form = byId('form', HTMLFormElement);
const speed = byId('speed', HTMLElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const again = byId('again', HTMLButtonElement);
const edit = byId('edit', HTMLButtonElement);
const forget = byId('forget', HTMLButtonElement);
const fresh = byId('fresh', HTMLButtonElement);
const conversation = new Conversation(log);
const picker = new ModelPicker({
  offers: OFFERS,
  dtypes: ['int8', 'int4', 'float16', 'float32'],
  place: byId('ask', HTMLElement),
  onChoose: (choice) => void load(choice),
});

let loader: ModelLoader<TextGenerator> | undefined;
let writing: AbortController | undefined;

/** Loads a model; the code that does so comes with the first. */
async function load(choice: ModelChoice): Promise<void> {
  writing?.abort();
  problems.clear();
  const { ModelLoader, modelFor } = await import('../shared/loader.ts');
  const open = modelFor<TextGenerator>('text-generation', 'The pages Classify and Open take other models.');
  loader ??= new ModelLoader({
    open: async (...given) => needTemplate(await open(...given), given[1].name),
    progress: byId('progress', HTMLElement),
    problems,
    onLoaded: showLoaded,
  });
  await loader.load(choice);
}

/** A model that has a template for conversations. Error: `not-found`, with what to do, where it has none: it is disposed of. */
async function needTemplate(model: TextGenerator, name: string): Promise<TextGenerator> {
  try {
    await promptTokens(model, [{ role: 'user', content: 'Hello' }]);
    return model;
  } catch (cause) {
    model.dispose();
    const without = cause instanceof TilewrightError && cause.code === 'not-found' && /template/.test(cause.message);
    if (!without) throw cause;
    throw new TilewrightError('not-found', `${name} has no chat template: it continues texts, and takes no turns`, {
      hint: 'Choose the version of the model that ends in Instruct, Chat or -it; of a folder, drop tokenizer_config.json and chat_template.jinja with it. The page Generate writes with models that have no template.',
      cause,
    });
  }
}

/** Tokens of the prompt that these messages make. Errors: those of the template. */
const promptTokens = async (model: TextGenerator, messages: readonly ChatMessage[]): Promise<number> =>
  (await model.applyChatTemplate(messages)).length;

const say = (id: string, text: string): void => {
  byId(id, HTMLElement).textContent = text;
};

function showLoaded({ model, choice, ms }: Loaded<TextGenerator>): void {
  const { shape, info } = model;
  say(
    'loaded',
    `${choice.name}: ${info.architecture}, ${shape.layers} layers of ${shape.width}, ${model.dtype}. Ready after ${milliseconds(ms)}.`,
  );
  for (const id of ['rate', 'first']) say(id, '–');
  void recount();
  void showMemory(model);
  showWriting(false);
}

/** How many tokens of the context are taken, and how many are left. */
function showContext({ context }: TextGenerator, used: number): void {
  const taken = Math.min(used, context); // the last token of a reply needs no place
  say('used', `${whole(taken)} tokens`);
  say('left', `${whole(context - taken)} of ${whole(context)}`);
  byId('context', HTMLProgressElement).value = taken / context;
}

/** The latest count of the context. */
let counting: object | undefined;

/** Counts and shows the context that the conversation takes as it stands, after it was changed. */
async function recount(): Promise<void> {
  const model = loader?.current?.model;
  if (!model || writing) return;
  const own = {};
  counting = own;
  const messages = conversation.messages(system.value.trim());
  const used = conversation.length ? await promptTokens(model, messages).catch(() => model.context) : 0;
  if (counting === own && !writing) showContext(model, used);
}

async function showMemory(model: TextGenerator): Promise<void> {
  try {
    const { weights, states, sessions } = await model.deviceBytes();
    say('memory', bytes(weights + states + sessions));
    say('weights', bytes(weights));
    say('states', bytes(states));
    say('sessions', bytes(sessions));
  } catch {
    // The model is gone, or its device: who writes with it says so.
  }
}

/** Streams the reply to the conversation as it stands, until it ends, is stopped, or fails: what was written stays. */
async function reply(): Promise<void> {
  const model = loader?.current?.model;
  if (!model || writing || conversation.last !== 'user') return;
  writing = new AbortController();
  const { signal } = writing;
  problems.clear();
  showWriting(true);
  speed.textContent = 'Reading';
  const start = performance.now();
  let [first, latest, prompt, tokens] = [start, start, 0, 0];
  const rate = (): string[] => (tokens > 1 ? [`${number((1000 * (tokens - 1)) / (latest - first))} tokens/s`] : []);
  const show = (): void => {
    say('rate', rate()[0] ?? '–');
    say('first', milliseconds(first - start));
    showContext(model, prompt + tokens);
  };
  try {
    const messages = conversation.messages(system.value.trim());
    prompt = await promptTokens(model, messages);
    showContext(model, prompt);
    const stream = model.chat(messages, { ...readSampling(), signal });
    for (;;) {
      const { value, done } = await stream.next();
      if (done) {
        tokens = value.tokens;
        speed.textContent = ending(value, model.context, rate());
        break;
      }
      latest = performance.now();
      if (tokens++ === 0) {
        first = latest;
        conversation.add('assistant');
        speed.textContent = 'Writing';
      }
      conversation.write(value.text);
      if (tokens % 8 === 1) show();
    }
    if (tokens === 0) conversation.add('assistant');
  } catch (error) {
    const stopped = tokens || signal.aborted;
    speed.textContent = stopped ? [`Stopped after ${whole(tokens)} tokens`, ...rate()].join(' · ') : '';
    const lost = error instanceof TilewrightError && error.code === 'device-lost';
    if (!signal.aborted) problems.show(error, lost ? loadAgain : undefined);
  } finally {
    if (tokens) show();
    writing = undefined;
    showWriting(false);
    void showMemory(model);
  }
}

/** Loads the model on a new device, and replies to what was said last. */
async function loadAgain(): Promise<void> {
  await load(loader!.current!.choice);
  await reply();
}

/** How a reply ended, and what to do where it was cut off. */
function ending({ reason, promptTokens, tokens }: Generation, context: number, rate: readonly string[]): string {
  const isFull = reason === 'length' && promptTokens + tokens > context;
  if (isFull) return 'The context is full: leave out the oldest';
  return [reason === 'stop' ? `${whole(tokens)} tokens` : `Cut off after ${whole(tokens)} tokens`, ...rate].join(' · ');
}

function showWriting(on: boolean): void {
  const focused = (on ? [go, again] : [stop]).includes(document.activeElement as HTMLButtonElement);
  const ready = !on && loader?.current !== undefined;
  go.hidden = on;
  go.disabled = !ready;
  stop.hidden = !on;
  again.disabled = !ready || !conversation.length;
  edit.disabled = fresh.disabled = on || !conversation.length;
  forget.disabled = on || conversation.length < 3;
  log.setAttribute('aria-busy', String(on));
  if (focused) (on ? stop : go).focus();
}

/** Changes the conversation between two replies; the focus goes to the message where its button cannot be pressed any more. */
function change(work: () => void): void {
  if (writing) return;
  work();
  problems.clear();
  speed.textContent = '';
  const focused = document.activeElement;
  showWriting(false);
  if (focused instanceof HTMLButtonElement && focused.disabled) message.focus();
  void recount();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (writing || !loader?.current || !message.value.trim()) return;
  conversation.add('user', message.value.trim());
  message.value = '';
  void reply();
});
message.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
stop.addEventListener('click', () => writing?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') writing?.abort();
});
again.addEventListener('click', () => {
  if (writing) return;
  if (conversation.last === 'assistant') conversation.removeLast();
  void reply();
});
edit.addEventListener('click', () =>
  change(() => {
    if (conversation.last === 'assistant') conversation.removeLast();
    message.value = conversation.removeLast();
    message.focus();
  }),
);
forget.addEventListener('click', () => change(() => conversation.removeOldest()));
fresh.addEventListener('click', () => change(() => conversation.clear()));
system.addEventListener('change', () => void recount());
byId('kept-details', HTMLDetailsElement).addEventListener('toggle', async (event) => {
  if (!(event.target as HTMLDetailsElement).open) return;
  const { showKept } = await import('../shared/download.ts');
  await showKept(byId('kept', HTMLElement));
});
showValues();

const availability = await showAdapter();
if (availability.available) {
  byId('picker', HTMLElement).replaceChildren(picker.element);
  acceptDrops((files) => picker.chooseFiles(files));
  document.body.append(
    make('p', { class: 'drop-hint', 'aria-hidden': 'true' }, 'Drop a model: a folder, or a .gguf file'),
  );
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
