import { adapterFacts, adapterText, noWebGpu, showAdapter, softwareNotice } from '../examples/shared/adapter.ts';
import { byId, copyOnClick, make } from '../examples/shared/dom.ts';
import { acceptDrops, takeFiles } from '../examples/shared/drop.ts';
import { ProblemBox } from '../examples/shared/problem.ts';
import { TilewrightError } from '../src/errors.ts';
import type { AdapterCard } from '../src/gpu/adapter.ts';
import { readReport } from './read-report.ts';
import type { CustomModel } from './suites/case.ts';
import { ParametersForm } from './view/form.ts';
import { forgetRun, keepRun, keptRuns } from './view/history.ts';
import { LiveRun } from './view/live.ts';
import { unpack } from './view/packed.ts';
import { repositoryNames, repositoryReport } from './view/repository.ts';
import { Runs } from './view/runs.ts';
import { ReportView } from './view/shown.ts';
import { Take } from './view/take.ts';
import { browserName } from './view/words.ts';

const problems = new ProblemBox(byId('problem', HTMLElement));
const go = byId('go', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const view = new ReportView();
const take = new Take();
const runs = new Runs(
  (report) => {
    if (report) view.show(report);
    else view.hide();
    void take.use(report);
  },
  ({ date }) => forgetRun(date),
);
const form = new ParametersForm(() => enable());
let running: AbortController | undefined;
let adapter: AdapterCard | undefined;
/** The user's, for the suite `custom`. */
let model: CustomModel | undefined;

async function run(): Promise<void> {
  if (running || !adapter) return;
  running = new AbortController();
  const { signal } = running;
  const { parameters } = form;
  problems.clear();
  showRunning(true);
  void take.use(undefined);
  const live = new LiveRun(adapter, parameters, (state) => view.show(state, true));
  try {
    const { measure } = await import('./view/measure.ts');
    const { onCeilings, onRow, onPulse } = live;
    const told = { signal, model, onProgress: showProgress, onCeilings, onRow, onPulse };
    const report = await measure(parameters, told);
    if (signal.aborted)
      problems.show(new TilewrightError('aborted', 'the bench was cancelled: it has the rows so far'), run);
    else keepRun(report); // where nothing can be kept, the run lasts as long as the page
    runs.add(report, 'measured now', 'shown');
  } catch (error) {
    problems.show(error, run);
    const part = live.part('The run ended by an error');
    if (part) runs.add(part, 'measured now', 'shown');
    else if (runs.shown) view.show(runs.shown);
    else view.hide();
  } finally {
    running = undefined;
    showRunning(false);
  }
}

function showProgress({ done, total, label = 'Done' }: { done: number; total: number; label?: string }): void {
  byId('step', HTMLElement).textContent = label;
  byId('steps', HTMLElement).textContent = `${done} of ${total}`;
  byId('bar', HTMLProgressElement).value = done / Math.max(1, total);
}

function showRunning(on: boolean): void {
  const focused = document.activeElement === (on ? go : cancel);
  go.hidden = on;
  cancel.hidden = !on;
  byId('progress', HTMLElement).classList.toggle('idle', !on);
  form.enabled = !on;
  byId('runs', HTMLFieldSetElement).disabled = on;
  enable();
  if (focused) (on ? cancel : go).focus({ preventScroll: true }); // who looks at the results stays there
}

/** A run needs an adapter and a suite. */
function enable(): void {
  go.disabled = !adapter || Boolean(running) || !form.parameters.suites;
}

/** Does what may fail, and says what went wrong. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    problems.show(
      error instanceof TilewrightError ? error : new TilewrightError('invalid-file', (error as Error).message),
    );
  }
}

const openText = (text: string, origin: 'file' | 'pasted'): void => runs.add(readReport(text), origin, 'beside');

const openFiles = (files: readonly File[]): Promise<void> =>
  attempt(async () => {
    if (files.some(({ name }) => /\.(onnx|safetensors)$/i.test(name))) takeModel(files);
    else for (const file of files) openText(await file.text(), 'file');
  });

/** Takes a model of the user's as a suite of its own. */
function takeModel(files: readonly File[]): void {
  const name = (files.find((file) => /\.(onnx|safetensors)$/i.test(file.name)) ?? files[0]!).name;
  model = { name, source: files.length === 1 ? files[0]! : [...files] };
  byId('custom-name', HTMLElement).textContent = name;
  byId('more', HTMLDetailsElement).open = true;
  byId('custom', HTMLInputElement).checked = true;
  enable();
}

/** What the part after the # asks for: a run in itself, or results of the repository side by side. */
const openFragment = (): Promise<void> =>
  attempt(async () => {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const packed = fragment.get('run');
    if (packed !== null) runs.add(readReport(await unpack(packed)), 'link', 'shown');
    const names = fragment.get('compare')?.split(',') ?? [];
    for (const name of names) runs.add(await repositoryReport(name), 'repository', 'beside');
  });

function listRepository(): void {
  const button = (name: string): HTMLButtonElement => {
    const one = make('button', { type: 'button' }, name);
    one.addEventListener('click', () =>
      attempt(async () => runs.add(await repositoryReport(name), 'repository', 'beside')),
    );
    return one;
  };
  byId('repository-files', HTMLElement).replaceChildren(
    ...repositoryNames().map((name) => make('li', {}, button(name))),
  );
}

async function showCard(): Promise<void> {
  const availability = await showAdapter();
  if (!availability.available) {
    byId('work', HTMLElement).hidden = true;
    byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
    return;
  }
  adapter = availability.adapter;
  const more = { Browser: browserName(navigator.userAgent) };
  const notice = adapter.software ? [softwareNotice()] : [];
  byId('card', HTMLElement).replaceChildren(...notice, adapterFacts(adapter, more));
  const text = (card: AdapterCard): string => {
    const { gpu } = form.parameters;
    return adapterText(card, { ...(gpu && { GPU: gpu }), ...more });
  };
  const copy = byId('copy-adapter', HTMLButtonElement);
  copyOnClick(copy, () => text(availability.adapter));
  copy.disabled = false;
  form.suggest(adapter.software ? 'quick' : 'full');
  enable();
}

byId('form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => running?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
});
addEventListener('hashchange', () => {
  if (!running) void openFragment();
});
acceptDrops(openFiles);
addEventListener('paste', (event) => {
  const text = event.clipboardData?.getData('text') ?? '';
  if (text.trimStart().startsWith('{')) void attempt(async () => openText(text, 'pasted'));
});
for (const id of ['open-json', 'custom-files']) takeFiles(id, openFiles);
listRepository();
for (const kept of keptRuns()) await attempt(async () => runs.add(readReport(kept), 'kept here', 'listed'));
await attempt(async () => form.readAddress());
await openFragment();
await showCard();
