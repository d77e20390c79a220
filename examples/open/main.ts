import { openOnnx } from '../../src/formats/onnx.ts';
import { type ModelSource, onnxOf, openFolder } from '../../src/hub/folder.ts';
import type { GraphOutput, GraphValue, Model, ModelDataType, Progress } from '../../src/index.ts';
import { macsOf } from '../../src/models/model.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, make } from '../shared/dom.ts';
import { acceptDrops, download } from '../shared/drop.ts';
import { milliseconds } from '../shared/format.ts';
import { type Loaded, ModelLoader } from '../shared/loader.ts';
import { pickModels } from '../shared/pick.ts';
import { ProblemBox } from '../shared/problem.ts';
import { aboutFile, aboutModel, type FileFacts, factsOf, nodesOfGraph } from './about.ts';
import { GraphList } from './graph-list.ts';
import { InputForm, isInputFile } from './inputs.ts';
import { costsOf, outputsOf, verdictOf } from './results.ts';

const problems = new ProblemBox(byId('problem', HTMLElement));
const form = byId('form', HTMLFormElement);
const dtype = byId('dtype', HTMLSelectElement);
const buttons = ['run', 'profile', 'verify'].map((id) => byId(id, HTMLButtonElement));
const [runButton, profileButton, verifyButton] = buttons as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
const cancel = byId('cancel', HTMLButtonElement);
const status = byId('status', HTMLElement);
const results = {
  outputs: byId('outputs', HTMLElement),
  costs: byId('costs', HTMLElement),
  checked: byId('checked', HTMLElement),
};
const inputs = new InputForm(byId('dims', HTMLElement), byId('inputs', HTMLElement), (error) => problems.show(error));
const graph = new GraphList(
  byId('graph', HTMLElement),
  byId('graph-count', HTMLElement),
  byId('find', HTMLInputElement),
);

/** What is shown: a file that was read, whether it could be loaded or not. */
let shown: { readonly name: string; readonly source: ModelSource; readonly file: FileFacts | undefined } | undefined;
let reading: AbortController | undefined;
let working: AbortController | undefined;

const loader = new ModelLoader<Model>({
  open: (engine, { source, dtype }, options) => engine.load(source, { dtype, ...options }),
  progress: byId('progress', HTMLElement),
  problems,
  onLoaded: showLoaded,
});

/** Reads what a file says, shows it, and loads it. */
async function open(name: string, source: ModelSource): Promise<void> {
  reading?.abort();
  working?.abort();
  const own = new AbortController();
  reading = own;
  const { signal } = own;
  problems.clear();
  try {
    const folder = await openFolder(source, { signal });
    const onnx = await onnxOf(folder);
    const file = onnx === undefined ? undefined : factsOf(await openOnnx(folder, onnx, signal));
    if (signal.aborted) return;
    shown = { name: onnx ?? name, source, file };
    byId('doing', HTMLElement).hidden = true;
    byId('what', HTMLElement).hidden = !file;
    for (const element of Object.values(results)) element.hidden = true;
    byId('title', HTMLElement).textContent = shown.name;
    if (file) {
      byId('about', HTMLElement).replaceChildren(...aboutFile(file));
      graph.show(file.nodes);
    }
  } catch (error) {
    if (!signal.aborted) problems.show(error, () => open(name, source));
    return;
  }
  await loader.load({ name: shown.name, source, dtype: dtype.value as ModelDataType });
}

/** What a model takes, as an input of a graph. A model of text or speech takes no tensor here. */
function inputsOf(model: Model): readonly GraphValue[] {
  if (model.task === 'graph') return model.inputs;
  if (model.task !== 'image-classification') return [];
  return [{ name: 'image', type: 'float', dims: [1, 3, ...model.preprocessing.size] }];
}

function showLoaded(loaded: Loaded<Model>): void {
  const { model } = loaded;
  byId('doing', HTMLElement).hidden = false;
  byId('what', HTMLElement).hidden = false;
  inputs.show(inputsOf(model), model.task === 'image-classification' ? model.preprocessing : undefined);
  runButton.hidden = model.task !== 'graph' && model.task !== 'image-classification';
  status.textContent = model.task === 'text-generation' ? 'The page Generate writes with it.' : '';
  showShapes(loaded, model.info.macs);
  setWorking(false);
}

/** Facts of a loaded model, and its nodes at the shapes of the last plan, where there is one. */
function showShapes({ model, ms }: Loaded<Model>, macs: number): void {
  const file = reading;
  const known = { model, ms, macs };
  byId('about', HTMLElement).replaceChildren(...(shown?.file ? aboutFile(shown.file, known) : aboutModel(known)));
  if (model.task !== 'graph') graph.show(nodesOfGraph(Object.values(model.graphs())[0]!));
  else if (hasPlan(model))
    void model.nodes().then(
      (nodes) => file === reading && graph.show(nodes), // else another file was opened
      (error) => problems.show(error),
    );
}

/** Whether the shapes are known of a graph that was loaded. */
function hasPlan(model: Model): boolean {
  try {
    return Object.keys(model.graphs()).length > 0;
  } catch {
    return false;
  }
}

function setWorking(on: boolean): void {
  const focused = buttons.includes(document.activeElement as HTMLButtonElement) || document.activeElement === cancel;
  for (const button of buttons) button.disabled = on;
  const model = loader.current?.model;
  profileButton.disabled ||= !model || !hasPlan(model);
  verifyButton.disabled ||= !model || !hasPlan(model);
  cancel.hidden = !on;
  byId('fields', HTMLFieldSetElement).disabled = on;
  dtype.disabled = on;
  if (focused) (on ? cancel : runButton.hidden ? profileButton : runButton).focus();
}

/** Work with the loaded model, one at a time. Errors are shown. */
async function work(what: string, run: (loaded: Loaded<Model>, signal: AbortSignal) => Promise<string>): Promise<void> {
  const loaded = loader.current;
  if (working || !loaded) return;
  const file = reading;
  working = new AbortController();
  problems.clear();
  status.textContent = what;
  setWorking(true);
  try {
    status.textContent = await run(loaded, working.signal);
  } catch (error) {
    status.textContent = '';
    if (file === reading) problems.show(error); // else another file was opened
  } finally {
    working = undefined;
    setWorking(false);
  }
}

/** Shows what came of work, where the eye goes. */
function showResult(element: HTMLElement, children: readonly HTMLElement[]): void {
  element.replaceChildren(...children);
  element.hidden = false;
  element.scrollIntoView({ block: 'nearest' });
}

async function computed(model: Model, signal: AbortSignal): Promise<Record<string, GraphOutput>> {
  const given = inputs.tensors();
  if (model.task === 'graph') return model.run(given, { signal });
  if (model.task !== 'image-classification') throw new Error('this model takes no tensors');
  const data = await model.logits(Float32Array.from(given['image']!.data as ArrayLike<number>), 1, { signal });
  return { logits: { type: 'float', dims: [1, data.length], data } };
}

const run = (): Promise<void> =>
  work('Running…', async (loaded, signal) => {
    const { model } = loaded;
    const start = performance.now();
    const outputs = await computed(model, signal);
    const ms = performance.now() - start;
    showResult(results.outputs, outputsOf(outputs, ms));
    const [plan] = hasPlan(model) ? Object.values(model.graphs()) : [];
    showShapes(loaded, plan ? await macsOf(plan) : 0);
    return `Done in ${milliseconds(ms)}.`;
  });

const profile = (): Promise<void> =>
  work('Timing every node…', async ({ model }, signal) => {
    showResult(results.costs, costsOf(await model.profile({ signal })));
    return 'Done.';
  });

const verify = (): Promise<void> =>
  work('Checking every kernel…', async ({ model, engine }, signal) => {
    const onProgress = ({ loaded, total }: Progress): void => {
      status.textContent = `Checking kernel ${loaded} of ${total}`;
    };
    const report = await engine.verify(model, { signal, onProgress });
    const save = async (label: string): Promise<void> => {
      if (model.task !== 'graph') return;
      await model.excerpt(label).then(
        (bytes) => download(`${encodeURIComponent(label)}.onnx`, bytes),
        (error) => problems.show(error),
      );
    };
    showResult(results.checked, verdictOf(report, model.task === 'graph' ? save : undefined));
    return 'Done.';
  });

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!runButton.hidden) void run();
});
profileButton.addEventListener('click', profile);
verifyButton.addEventListener('click', verify);
cancel.addEventListener('click', () => working?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') working?.abort();
});
dtype.addEventListener('change', () => {
  if (shown) void loader.load({ name: shown.name, source: shown.source, dtype: dtype.value as ModelDataType });
});

const openFiles = pickModels(open);
const availability = await showAdapter();
if (availability.available) {
  acceptDrops((files) => {
    const isInput =
      loader.current &&
      !byId('doing', HTMLElement).hidden &&
      files.every(isInputFile) &&
      !files.some(({ name }) => name === 'config.json');
    if (isInput) void inputs.take(files);
    else openFiles(files);
  });
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
document.body.append(make('p', { class: 'drop-hint', 'aria-hidden': 'true' }, 'Drop a model, or what it shall run on'));
