import { measureCeilings } from '../../bench/ceilings.ts';
import type { ModelSource } from '../../src/hub/folder.ts';
import type { Ceilings, Engine, Model, ModelDataType, Profile } from '../../src/index.ts';
import { InputForm } from '../open/inputs.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, make, makeButton } from '../shared/dom.ts';
import { acceptDrops, download } from '../shared/drop.ts';
import { type Loaded, ModelLoader } from '../shared/loader.ts';
import { pickModels } from '../shared/pick.ts';
import { ProblemBox } from '../shared/problem.ts';
import { profileDocument, type Reported } from '../shared/profile/document.ts';
import { enhance } from '../shared/profile/interact.ts';
import { markTrack, traceOf } from '../shared/profile/trace.ts';
import { views } from '../shared/profile/views.ts';

const problems = new ProblemBox(byId('problem', HTMLElement));
const form = byId('form', HTMLFormElement);
const plan = byId('plan', HTMLSelectElement);
const dtype = byId('dtype', HTMLSelectElement);
const rounds = byId('rounds', HTMLInputElement);
const roofs = byId('roofs', HTMLInputElement);
const runButton = byId('run', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const status = byId('status', HTMLElement);
const exports = byId('exports', HTMLElement);
const place = byId('views', HTMLElement);
const inputs = new InputForm(byId('dims', HTMLElement), byId('inputs', HTMLElement), (error) => problems.show(error));

let source: { readonly name: string; readonly source: ModelSource } | undefined;
let working: AbortController | undefined;
/** What the device can do at most: measured once an engine. */
const measured = new WeakMap<Engine, Promise<Ceilings>>();

const loader = new ModelLoader<Model>({
  open: (engine, choice, options) => engine.load(choice.source, { dtype: choice.dtype, ...options }),
  progress: byId('progress', HTMLElement),
  problems,
  onLoaded: (loaded) => void showLoaded(loaded),
});

const load = (): Promise<void> | undefined => source && loader.load({ ...source, dtype: dtype.value as ModelDataType });

async function open(name: string, chosen: ModelSource): Promise<void> {
  working?.abort();
  source = { name, source: chosen };
  form.hidden = true;
  place.replaceChildren();
  await load();
}

/** Shows what is known of a model before it is measured. */
async function showLoaded({ model, choice }: Loaded<Model>): Promise<void> {
  form.hidden = false;
  exports.hidden = true;
  byId('title', HTMLElement).textContent = choice.name;
  const isOpen = model.task === 'graph' && model.openDims.length > 0;
  inputs.show(isOpen ? model.inputs : []);
  const names = isOpen ? [] : Object.keys(model.graphs());
  plan.replaceChildren(...names.map((name) => make('option', {}, name)));
  plan.parentElement!.hidden = names.length < 2;
  status.textContent = isOpen ? 'Its sizes are yours to choose.' : '';
  if (!isOpen) place.innerHTML = views(undefined, await model.summary());
  enhance(place);
}

/** Runs a model whose sizes are chosen now, so that it has a plan. */
async function planned(model: Model, signal: AbortSignal): Promise<string | undefined> {
  if (model.task !== 'graph' || !model.openDims.length) return plan.value || undefined;
  status.textContent = 'Running it once…';
  await model.run(inputs.tensors(), { signal });
  return undefined;
}

async function ceilingsOf(engine: Engine, signal: AbortSignal): Promise<Ceilings | undefined> {
  if (!roofs.checked) return undefined;
  status.textContent = 'Measuring what the GPU can do…';
  const { gpu } = engine;
  const known =
    measured.get(engine) ?? measureCeilings(gpu, { leastMs: gpu.card.software ? 20 : 10, samples: 3, signal });
  measured.set(engine, known);
  known.catch(() => measured.delete(engine));
  return known;
}

async function profile({ model, engine }: Loaded<Model>, signal: AbortSignal): Promise<Reported> {
  const name = await planned(model, signal);
  const ceilings = await ceilingsOf(engine, signal);
  status.textContent = 'Timing every dispatch…';
  const how = { rounds: rounds.valueAsNumber, signal, ...(name && { plan: name }), ...(ceilings && { ceilings }) };
  return { profile: await model.profile(how), summary: await model.summary(name ? { plan: name } : {}) };
}

async function run(): Promise<void> {
  const loaded = loader.current;
  if (working || !loaded) return;
  working = new AbortController();
  problems.clear();
  setWorking(true);
  try {
    const reported = await profile(loaded, working.signal);
    if (loader.current !== loaded) return;
    show(loaded.choice.name, reported);
    status.textContent = 'Done.';
  } catch (error) {
    status.textContent = '';
    problems.show(error);
  } finally {
    working = undefined;
    setWorking(false);
  }
}

function show(name: string, reported: Reported): void {
  place.innerHTML = views(reported.profile, reported.summary);
  enhance(place);
  if (reported.profile.timestamps) markTrack(reported.profile);
  const stem = name.replace(/\W+/g, '-').toLowerCase();
  const text = (profile: Profile | object): string => JSON.stringify(profile, undefined, 1);
  exports.replaceChildren(
    makeButton('Save report', () => download(`${stem}.html`, profileDocument(name, [reported]))),
    makeButton('Save trace', () => download(`${stem}-trace.json`, text(traceOf(reported.profile)))),
    makeButton('Save JSON', () => download(`${stem}.json`, text(reported.profile))),
  );
  exports.hidden = false;
}

function setWorking(on: boolean): void {
  const hadFocus = form.contains(document.activeElement);
  byId('fields', HTMLFieldSetElement).disabled = on;
  runButton.disabled = on;
  cancel.hidden = !on;
  if (hadFocus) (on ? cancel : runButton).focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => working?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') working?.abort();
});
dtype.addEventListener('change', () => void load());

const openFiles = pickModels(open);
const availability = await showAdapter();
if (availability.available) {
  acceptDrops(openFiles);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
document.body.append(make('p', { class: 'drop-hint', 'aria-hidden': 'true' }, 'Drop a model'));
