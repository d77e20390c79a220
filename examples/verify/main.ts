import {
  Engine,
  type Model,
  type ModelDataType,
  type Progress,
  type VerifyReport,
  type VerifyRow,
} from '../../src/index.ts';
import { adapterFacts, noWebGpu, showAdapter, softwareNotice } from '../shared/adapter.ts';
import { byId, copyOnClick, make, makeButton } from '../shared/dom.ts';
import { milliseconds, whole } from '../shared/format.ts';
import { ProblemBox } from '../shared/problem.ts';

const WEIGHTS = new URL('../../weights/', document.baseURI);

const problems = new ProblemBox(byId('problem', HTMLElement));
const form = byId('form', HTMLFormElement);
const go = byId('go', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const progress = byId('progress', HTMLElement);
const outcome = byId('outcome', HTMLElement);
const results = byId('results', HTMLElement);
const body = byId('table', HTMLTableElement).tBodies[0]!;

let running: AbortController | undefined;
let report: VerifyReport | undefined;

/** `forget`: what was set aside before is checked again. */
async function run(forget = false): Promise<void> {
  if (running) return;
  const chosen = new FormData(form); // before its fields are disabled, which would leave them out
  const what = String(chosen.get('what'));
  running = new AbortController();
  const { signal } = running;
  problems.clear();
  report = undefined;
  body.replaceChildren();
  outcome.replaceChildren();
  showRunning(true);
  // A device of its own: a driver that fails takes nothing else with it.
  let engine: Engine | undefined;
  let model: Model | undefined;
  try {
    engine = await Engine.create({ signal });
    if (what !== 'ops') {
      const dtype = chosen.get('dtype') as ModelDataType;
      model = await engine.load(new URL(`${what}/`, WEIGHTS), { dtype, signal, onProgress: showProgress });
    }
    const onRow = (row: VerifyRow): void => {
      results.hidden = false;
      body.append(tableRow(row));
    };
    report = await engine.verify(model, { all: chosen.has('all'), forget, signal, onRow, onProgress: showProgress });
    showReport(report);
  } catch (error) {
    problems.show(error, () => run(forget));
  } finally {
    model?.dispose();
    engine?.dispose();
    running = undefined;
    showRunning(false);
  }
}

function showProgress({ phase, loaded, total, label }: Progress): void {
  const verifying = phase === 'verify';
  byId('step', HTMLElement).textContent = verifying ? (label ?? 'Done') : 'Loading the model';
  byId('steps', HTMLElement).textContent = verifying ? `${loaded} of ${total}` : '';
  byId('bar', HTMLProgressElement).value = verifying ? loaded / Math.max(1, total) : 0;
}

function showRunning(on: boolean): void {
  const focused = document.activeElement === (on ? go : cancel);
  go.hidden = on;
  cancel.hidden = !on;
  progress.hidden = !on;
  for (const field of form.querySelectorAll('fieldset')) field.disabled = on;
  outcome.hidden = !report;
  results.hidden = !body.rows.length;
  copy.disabled = !report;
  if (focused) (on ? cancel : go).focus();
}

const exponent = (value: number | null): string =>
  value === null ? '' : value === 0 ? '0' : value.toExponential(1).replace('e-', ' × 10⁻').replace(/\d+$/, superscript);

const superscript = (digits: string): string => [...digits].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');

function tableRow({ verdict, variant, shape, label, count, error, tolerance, ms, replacedBy, case: test }: VerifyRow) {
  const told = verdict === 'right' ? 'right' : replacedBy === undefined ? verdict : `${verdict}, replaced`;
  const cells = [told, variant, shape, label, whole(count), exponent(error), exponent(tolerance), whole(ms)];
  return make(
    'tr',
    { class: verdict === 'right' ? undefined : 'wrong', title: test },
    ...cells.map((text) => make('td', {}, text)),
  );
}

/** The verdict in words, what was wrong, and the rows again: those that are wrong first. */
function showReport({ rows, summary, aside, passed, ms }: VerifyReport): void {
  const wrong = rows.filter(({ verdict }) => verdict !== 'right');
  const earlier = Object.entries(aside).filter(([variant]) => !wrong.some((row) => row.variant === variant));
  const kernels = new Set(rows.map(({ variant }) => variant)).size;
  const done = `${whole(kernels)} kernels on ${whole(rows.length)} shapes in ${milliseconds(ms)}.`;
  const fault = ({ variant, fault: what, replacedBy }: VerifyRow): HTMLElement =>
    make(
      'li',
      {},
      make('code', {}, variant),
      ` ${what}; `,
      ...(replacedBy === undefined
        ? ['nothing can take its place.']
        : ['replaced by ', make('code', {}, replacedBy), '.']),
    );
  outcome.replaceChildren(
    make('h2', {}, passed ? 'What runs here is right' : 'Results on this device cannot be trusted'),
    make('p', { class: 'soft' }, done),
    ...(wrong.length
      ? [
          make(
            'div',
            { class: passed ? 'notice' : 'notice bad' },
            make('strong', {}, `${summary.replaced} wrong and replaced, ${summary.failed} wrong for good`),
            make('ul', { class: 'faults' }, ...new Map(wrong.map((row) => [row.variant, fault(row)])).values()),
          ),
        ]
      : []),
    ...(earlier.length
      ? [
          make(
            'div',
            { class: 'notice' },
            make('strong', {}, 'Set aside by earlier checks'),
            make(
              'ul',
              { class: 'faults' },
              ...earlier.map(([variant, why]) => make('li', {}, make('code', {}, variant), ` ${why}`)),
            ),
            make(
              'div',
              { class: 'row' },
              makeButton('Check these again', () => run(true)),
            ),
          ),
        ]
      : []),
  );
  body.replaceChildren(...[...wrong, ...rows.filter(({ verdict }) => verdict === 'right')].map(tableRow));
}

form.addEventListener('change', () => {
  form.querySelector<HTMLSelectElement>('#dtype')!.disabled = new FormData(form).get('what') === 'ops';
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => running?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
});
copyOnClick(copy, () => `${JSON.stringify(report, null, 2)}\n`);

const card = byId('card', HTMLElement);
const availability = await showAdapter();
if (availability.available) {
  const { adapter } = availability;
  card.replaceChildren(...(adapter.software ? [softwareNotice()] : []), adapterFacts(adapter));
  go.disabled = false;
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
