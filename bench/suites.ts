import { version } from '../package.json';
import { throwIfAborted } from '../src/errors.ts';
import {
  Engine,
  type Graph,
  type GraphModel,
  type ImageClassifier,
  type Model,
  type ModelDataType,
  type ModelSource,
  type TextGenerator,
} from '../src/index.ts';
import { createRandom } from '../src/text/random.ts';
import { attentionName, layerName, PRESET, type Preset } from './cases.ts';
import { measureCeilings } from './ceilings.ts';
import { attentionGraph, convGraph, matmulGraph, modelWork, passOptions, randomData, workOf } from './graphs.ts';
import { interleave, normwise, sample, summarise, timeSession } from './measure.ts';
import { type ResNetSize, randomTensors, resnetShapes, safetensorsOf } from './models.ts';
import { type OnnxFiles, type OnnxTask, onnxTasks, onnxWork, runOnnx } from './onnx-files.ts';
import type { PresetName } from './parameters.ts';
import { onnxResNet } from './peers/onnx-models.ts';
import {
  type BenchDataType,
  type BenchReport,
  type BenchRow,
  type Ceilings,
  figuresOf,
  SUITES,
  type SuiteName,
  type Timing,
  type Work,
} from './report.ts';

export interface BenchProgress {
  /** Cases done, of how many. */
  readonly done: number;
  readonly total: number;
  /** The case that begins now; absent at the end. */
  readonly label?: string;
}

export interface BenchOptions {
  /** The folder that holds the models that ship, `weights/`. */
  weights: string | URL;
  /** Where the ONNX files of packages are; those that are missing are left out. */
  onnx?: OnnxFiles | undefined;
  /** All where absent. */
  suites?: readonly SuiteName[];
  /** `quick` on a software adapter, else `full`, where absent. */
  preset?: PresetName;
  /** One of its own where absent. */
  engine?: Engine;
  signal?: AbortSignal;
  /** Only the cases whose name, shape and type have this in them. */
  only?: string;
  onProgress?: (progress: BenchProgress) => void;
  /** What the adapter can do at most: comes before any row. */
  onCeilings?: (ceilings: Ceilings) => void;
  onRow?: (row: BenchRow) => void;
}

/** A case that would keep the GPU longer than this in one run, in ms, is left out: drivers reset a GPU that hangs. */
const LONGEST_RUN = 1500;

interface Case {
  readonly suite: SuiteName;
  readonly name: string;
  readonly shape: string;
  readonly dtype: BenchDataType;
  /** Known beforehand for single ops. */
  readonly flops?: number;
  /** What is timed side by side has a row each, under a name of its own. */
  run(signal: AbortSignal | undefined): Promise<Measured | readonly Measured[]>;
}

interface Measured extends Work {
  /** The case's where absent. */
  readonly name?: string;
  readonly ms: Timing;
  readonly rate?: BenchRow['rate'];
}

/** Runs the suites one case after the other. Errors: `aborted`, and those of `Engine.create` and `engine.load`. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { suites = SUITES, only = '', signal, onProgress, onCeilings, onRow, weights, onnx = {} } = options;
  const engine = options.engine ?? (await Engine.create({ signal }));
  await engine.loadOps();
  try {
    const preset = PRESET[options.preset ?? (engine.adapter.software ? 'quick' : 'full')];
    const { tasks, notes } = await onnxTasks(suites.includes('onnx') ? preset.onnx : [], onnx);
    const cases = suites
      .flatMap((suite) => CASES[suite](engine, preset, weights, tasks))
      .filter(({ name, shape, dtype }) => `${name} ${shape} ${dtype}`.includes(only));
    const rows: BenchRow[] = [];
    const date = new Date().toISOString();
    onProgress?.({ done: 0, total: cases.length, label: 'ceilings' });
    const ceilings = await measureCeilings(engine.gpu, { ...preset.ceilings, signal });
    onCeilings?.(ceilings);
    const speed = new Map<string, number>();
    for (const [done, { suite, name, shape, dtype, flops, run }] of cases.entries()) {
      throwIfAborted(signal, 'the bench');
      const label = `${name} ${shape} ${dtype}`;
      onProgress?.({ done, total: cases.length, label });
      const expected = (flops ?? 0) / 1e6 / (speed.get(suite + dtype) ?? Number.POSITIVE_INFINITY);
      if (expected > LONGEST_RUN) {
        notes.push(`${label} was left out: a run would take about ${(expected / 1000).toFixed(1)} s`);
        continue;
      }
      for (const { ms, rate, name: own = name, ...work } of [await run(signal)].flat()) {
        const row: BenchRow = {
          suite,
          name: own,
          shape,
          dtype,
          engine: 'tilewright',
          ms,
          ...figuresOf(work, ms.median, dtype, ceilings),
          ratioToTilewright: 1,
          ...(rate && { rate }),
        };
        if (flops) speed.set(suite + dtype, row.gflops);
        rows.push(row);
        onRow?.(row);
      }
    }
    onProgress?.({ done: cases.length, total: cases.length });
    const browser = globalThis.navigator?.userAgent ?? 'no browser';
    return { adapter: engine.adapter, date, versions: { tilewright: version, browser }, ceilings, rows, notes };
  } finally {
    if (!options.engine) engine.dispose();
  }
}

type MakeCases = (engine: Engine, preset: Preset, weights: string | URL, tasks: readonly OnnxTask[]) => Case[];

const CASES: Record<SuiteName, MakeCases> = {
  matmul: (engine, preset) =>
    typesOf(engine, preset.dtypes).flatMap((dtype) =>
      preset.matmul.map((size) => ({
        suite: 'matmul' as const,
        name: 'matmul',
        shape: `${size}x${size}x${size}`,
        dtype,
        flops: 2 * size ** 3,
        run: (signal) => timeGraph(engine, preset, dtype, matmulGraph(engine, [size, size, size], dtype), signal),
      })),
    ),
  gemv: (engine, preset) =>
    typesOf(engine, preset.gemvDtypes).flatMap((dtype) =>
      preset.gemv.map(([k, n]) => ({
        suite: 'gemv' as const,
        name: 'gemv',
        shape: `${k}x${n}`,
        dtype,
        flops: 2 * k * n,
        run: (signal) => timeGraph(engine, preset, dtype, matmulGraph(engine, [1, k, n], dtype), signal),
      })),
    ),
  conv: (engine, preset) =>
    typesOf(engine, preset.dtypes).flatMap((dtype) =>
      preset.conv.map((layer) => ({
        suite: 'conv' as const,
        name: `conv2d ${layerName(layer)}`,
        shape: `${layer.size}x${layer.size}x${layer.channels}->${layer.out}`,
        dtype,
        run: (signal) => timeGraph(engine, preset, dtype, convGraph(engine, layer, dtype), signal),
      })),
    ),
  attention: (engine, preset) =>
    typesOf(engine, preset.dtypes)
      .filter((dtype) => dtype !== 'int8') // it has no weights
      .flatMap((dtype) =>
        preset.attention.map((shape) => ({
          suite: 'attention' as const,
          name: 'attention',
          shape: attentionName(shape),
          dtype,
          run: (signal) => timeGraph(engine, preset, dtype, attentionGraph(engine, shape, dtype), signal),
        })),
      ),
  resnet: (engine, preset, weights) =>
    typesOf(engine, preset.modelDtypes).flatMap((dtype) =>
      preset.batches.map((batch) => ({
        suite: 'resnet' as const,
        name: 'resnet20',
        shape: `${batch}x3x32x32`,
        dtype,
        run: (signal) =>
          withModel(engine, folder('resnet20-cifar10', weights), dtype, signal, (model: ImageClassifier) =>
            timeImages(model, preset, batch, signal),
          ),
      })),
    ),
  onnx: (engine, preset, _, tasks) => [
    ...tasks.map(({ name, shape, model, inputs }) => ({
      suite: 'onnx' as const,
      name,
      shape,
      dtype: 'float32' as const,
      run: (signal: AbortSignal | undefined) =>
        withModel(engine, model, 'float32', signal, async (graph: GraphModel) => {
          const once = async (): Promise<number> => {
            throwIfAborted(signal, 'the bench');
            const start = performance.now();
            await runOnnx(graph, inputs);
            return performance.now() - start;
          };
          await once();
          return { ms: await sample(preset, once), ...(await onnxWork(graph)) };
        }),
    })),
    {
      suite: 'onnx',
      name: 'resnet from ONNX',
      shape: `1x3x${preset.load.image}x${preset.load.image}`,
      dtype: 'float32',
      run: (signal) => timeFormats(engine, preset, signal),
    },
  ],
  gpt: (engine, preset, weights) =>
    typesOf(engine, preset.modelDtypes).flatMap((dtype) => {
      const path = folder('gpt-shakespeare', weights);
      const part = (
        name: string,
        shape: string,
        time: (model: TextGenerator, preset: Preset, signal?: AbortSignal) => Promise<Measured>,
      ): Case => ({
        suite: 'gpt',
        name,
        shape,
        dtype,
        run: (signal) => withModel(engine, path, dtype, signal, (model: TextGenerator) => time(model, preset, signal)),
      });
      return [
        part('gpt prefill', `${preset.prompt} tokens`, timePrefill),
        part('gpt decode', `${preset.tokens} tokens`, timeDecode),
      ];
    }),
  softmax: () => [],
  elementwise: () => [],
  custom: () => [],
  load: (_, { load }) => [
    {
      suite: 'load',
      name: 'load',
      shape: `1x3x${load.image}x${load.image}`,
      dtype: 'float32',
      run: (signal) => timeLoads(load, signal),
    },
  ],
};

const folder = (name: string, weights: string | URL): string => `${String(weights).replace(/\/?$/, '/')}${name}/`;

const typesOf = <Type extends BenchDataType>(engine: Engine, dtypes: readonly Type[]): Type[] =>
  dtypes.filter((dtype) => dtype !== 'float16' || engine.adapter.features.includes('shader-f16'));

async function timeGraph(
  engine: Engine,
  preset: Preset,
  dtype: BenchDataType,
  graph: Graph,
  signal?: AbortSignal,
): Promise<Measured> {
  const session = await engine.build(graph, { ...passOptions(dtype), signal });
  try {
    for (const [name, { dataType, shape }] of session.plan.inputs) session.write(name, randomData(dataType, shape, 1));
    return { ms: await timeSession(session, preset, signal), ...workOf(session.plan.steps) };
  } finally {
    session.dispose();
  }
}

async function withModel<T extends Model>(
  engine: Engine,
  path: ModelSource,
  dtype: ModelDataType,
  signal: AbortSignal | undefined,
  work: (model: T) => Promise<Measured>,
): Promise<Measured> {
  const model = await engine.load(path, { dtype, signal });
  try {
    return await work(model as T);
  } finally {
    model.dispose();
  }
}

/** Pixels to logits, the upload and the read-back included. */
async function timeImages(
  model: ImageClassifier,
  preset: Preset,
  batch: number,
  signal?: AbortSignal,
): Promise<Measured> {
  const pixels = randomData('float32', [batch, 3, ...model.preprocessing.size], 1) as Float32Array;
  const once = async (): Promise<number> => {
    const start = performance.now();
    await model.logits(pixels, batch, { signal });
    return performance.now() - start;
  };
  await once();
  const ms = await sample(preset, once);
  return {
    ms,
    ...(await modelWork(model, model.graph(batch))),
    rate: { value: (1000 * batch) / ms.median, unit: 'images/s' },
  };
}

/** A ResNet with random weights from safetensors and from ONNX, interleaved: pixels to logits. */
async function timeFormats(engine: Engine, preset: Preset, signal?: AbortSignal): Promise<Measured[]> {
  const { image } = preset.load;
  const tensors = randomTensors(resnetShapes(preset.load));
  const pixels = randomData('float32', [1, 3, image, image], 1) as Float32Array<ArrayBuffer>;
  const load = { dtype: 'float32', signal } as const;
  using plain = (await engine.load(safetensorsOf(tensors), { ...load, inputSize: [image, image] })) as ImageClassifier;
  using graph = (await engine.load(onnxResNet(tensors, preset.load).model, load)) as GraphModel;
  const inputs: OnnxTask['inputs'] = { image: { type: 'float32', dims: [1, 3, image, image], data: pixels } };
  const [expected, logits] = [await plain.logits(pixels), await runOnnx(graph, inputs)];
  const off = normwise(logits, expected);
  if (!(off <= 1e-4)) throw new Error(`the ResNet from ONNX is ${off.toExponential(1)} off (normwise)`);
  const timed = (run: () => Promise<unknown>) => async (): Promise<number[]> => {
    throwIfAborted(signal, 'the bench');
    const start = performance.now();
    await run();
    return [performance.now() - start];
  };
  const samplers = new Map([
    ['resnet from safetensors', timed(() => plain.logits(pixels))],
    ['resnet from ONNX', timed(() => runOnnx(graph, inputs))],
  ]);
  // A few percent are looked for: more rounds than elsewhere.
  const [least, most] = preset.rounds;
  const effort = { ...preset, rounds: [3 * least, 3 * most] as const, patienceMs: Number.POSITIVE_INFINITY };
  const timings = await interleave(samplers, effort);
  const work = await onnxWork(graph);
  return Array.from(timings, ([name, [ms]]) => ({ name, ms: ms!, ...work }));
}

/**
 * A ResNet with random weights, from bytes to logits, on an engine of its own. What the browser keeps of earlier loads,
 * it keeps.
 */
async function timeLoads(size: ResNetSize, signal?: AbortSignal): Promise<Measured> {
  const file = safetensorsOf(randomTensors(resnetShapes(size)));
  const inputSize: [number, number] = [size.image, size.image];
  const pixels = randomData('float32', [1, 3, ...inputSize], 1) as Float32Array;
  let work: Work = { flops: 0, bytes: 0 };
  const once = async (): Promise<number> => {
    const start = performance.now();
    const engine = await Engine.create({ signal });
    try {
      const model = (await engine.load(file, { inputSize, signal })) as ImageClassifier;
      await model.logits(pixels, 1, { signal });
      const ms = performance.now() - start;
      work = await modelWork(model, model.graph());
      return ms;
    } finally {
      engine.dispose();
    }
  };
  await once();
  return { ms: await sample({ rounds: [1, 3], budgetMs: 5000 }, once), ...work };
}

/** Random tokens: what they mean does not change what they cost. */
function randomTokens(model: TextGenerator, count: number): number[] {
  const random = createRandom(1);
  return Array.from({ length: count }, () => Math.floor(random() * model.shape.vocabulary));
}

/** A prompt to its first token. */
async function timePrefill(model: TextGenerator, preset: Preset, signal?: AbortSignal): Promise<Measured> {
  const prompt = randomTokens(model, preset.prompt);
  const once = async (): Promise<number> => {
    const start = performance.now();
    for await (const _ of model.generate(prompt, { maxNewTokens: 1, temperature: 0, stopTokens: [], signal }));
    return performance.now() - start;
  };
  await once();
  const ms = await sample(preset, once);
  return {
    ms,
    ...(await modelWork(model, model.graph(preset.prompt, 'last'))),
    rate: { value: (1000 * preset.prompt) / ms.median, unit: 'tokens/s' },
  };
}

/** A token after the other, from the second on: sampling and read-back included. */
async function timeDecode(model: TextGenerator, preset: Preset, signal?: AbortSignal): Promise<Measured> {
  const samples: number[] = [];
  let last: number | undefined;
  for await (const _ of model.generate(randomTokens(model, 16), {
    maxNewTokens: preset.tokens + 1,
    temperature: 0,
    stopTokens: [],
    signal,
  })) {
    const now = performance.now();
    if (last !== undefined) samples.push(now - last);
    last = now;
  }
  const ms = summarise(samples);
  return {
    ms,
    ...(await modelWork(model, model.graph(1, 'last'))),
    rate: { value: 1000 / ms.median, unit: 'tokens/s' },
  };
}
