import { adapterFacts, noWebGpu, showAdapter, softwareNotice } from '../examples/shared/adapter.ts';
import { byId, copyOnClick, make } from '../examples/shared/dom.ts';
import { ProblemBox } from '../examples/shared/problem.ts';
import { onnxFiles } from './onnx-files.ts';
import { PRESETS, type PresetName } from './parameters.ts';
import { Plot, plotData } from './plot.ts';
import type { BenchReport, BenchRow, SuiteName } from './report.ts';
import { runBench } from './run.ts';
import { ceilingsText, headlines, tableRow } from './table.ts';

const WEIGHTS = new URL('../weights/', document.baseURI);
/** The development server has the packages; a page that is built has none. */
const ONNX = import.meta.env.DEV
  ? await onnxFiles((path) => new URL(`../node_modules/${path}`, document.baseURI).href)
  : {};

const problems = new ProblemBox(byId('problem', HTMLElement));
const form = byId('form', HTMLFormElement);
const go = byId('go', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const download = byId('download', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const progress = byId('progress', HTMLElement);
const results = byId('results', HTMLElement);
/** `3x3 56²×64`: short enough to stand under a bar. */
const layerLabel = ({ name, shape }: BenchRow): string =>
  `${name.replace('conv2d ', '').replace('depthwise', 'dw')} ${shape.replace(/^(\d+)x\1x(\d+)->.*/, '$1²×$2')}`;

const plot = (suite: SuiteName, kind: 'lines' | 'bars', label: (row: BenchRow) => string) => {
  const figure = byId(`plot-${suite}`, HTMLElement);
  return { suite, label, figure, drawing: new Plot(figure.querySelector<HTMLElement>('.drawing')!, kind) };
};
const plots = [plot('matmul', 'lines', ({ shape }) => shape.split('x')[0]!), plot('conv', 'bars', layerLabel)];

let running: AbortController | undefined;
let report: BenchReport | undefined;

async function run(): Promise<void> {
  if (running) return;
  const chosen = new FormData(form); // before its fields are disabled, which would leave them out
  running = new AbortController();
  problems.clear();
  showRunning(true);
  const rows: BenchRow[] = [];
  showRows(rows);
  byId('ceilings', HTMLElement).textContent = '';
  try {
    report = await runBench({
      weights: WEIGHTS,
      onnx: ONNX,
      suites: chosen.getAll('suite') as SuiteName[],
      preset: presetFromAddress() ?? (chosen.get('preset') as PresetName),
      signal: running.signal,
      onProgress: ({ done, total, label = 'Done' }) => {
        byId('step', HTMLElement).textContent = label;
        byId('steps', HTMLElement).textContent = `${done} of ${total}`;
        byId('bar', HTMLProgressElement).value = done / Math.max(1, total);
      },
      onCeilings: (ceilings) => {
        byId('ceilings', HTMLElement).textContent = ceilingsText(ceilings);
      },
      onRow: (row) => {
        rows.push(row);
        showRows(rows);
      },
    });
    showNotes(report.notes);
  } catch (error) {
    problems.show(error, run);
  } finally {
    running = undefined;
    showRunning(false);
  }
}

function showRunning(on: boolean): void {
  const focused = document.activeElement === (on ? go : cancel);
  go.hidden = on;
  cancel.hidden = !on;
  progress.hidden = !on;
  for (const field of form.querySelectorAll('fieldset')) field.disabled = on;
  if (on) report = undefined;
  for (const button of [download, copy]) button.disabled = !report;
  if (focused) (on ? cancel : go).focus();
}

/** Everything that rows are shown in: table, plots, headlines. */
function showRows(rows: readonly BenchRow[]): void {
  results.hidden = rows.length === 0;
  byId('table', HTMLTableElement).tBodies[0]!.replaceChildren(...rows.map(tableRow));
  byId('headlines', HTMLElement).replaceChildren(...headlines(rows));
  showNotes([]);
  for (const { suite, figure, drawing, label } of plots) {
    const own = rows.filter((row) => row.suite === suite);
    figure.hidden = own.length === 0;
    if (own.length) void drawing.show(plotData(own, label));
  }
}

const showNotes = (notes: readonly string[]): void =>
  byId('notes', HTMLElement).replaceChildren(...notes.map((note) => make('li', {}, note)));

/** `?preset=tiny` runs sizes that the page does not offer: for its test. */
function presetFromAddress(): PresetName | undefined {
  const asked = new URLSearchParams(location.search).get('preset');
  return PRESETS.find((name) => name === asked);
}

const json = (): string => `${JSON.stringify(report, null, 2)}\n`;

form.addEventListener('change', () => {
  go.disabled = !new FormData(form).has('suite');
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => running?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
});
download.addEventListener('click', () => {
  const url = URL.createObjectURL(new Blob([json()], { type: 'application/json' }));
  make('a', { href: url, download: `tilewright-bench-${report?.date.slice(0, 10)}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});
copyOnClick(copy, json);

const card = byId('card', HTMLElement);
const availability = await showAdapter();
if (availability.available) {
  const { adapter } = availability;
  card.replaceChildren(...(adapter.software ? [softwareNotice()] : []), adapterFacts(adapter));
  const preset = adapter.software ? 'quick' : 'full';
  form.querySelector<HTMLInputElement>(`[name=preset][value=${preset}]`)!.checked = true;
  go.disabled = false;
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
