import { until } from '../../src/hub/network.ts';
import { createRandom } from '../../src/text/random.ts';
import {
  type AttentionShape,
  attentionName,
  type ConvLayer,
  layerName,
  PEER_PRESET,
  type PeerPreset,
} from '../cases.ts';
import { randomData } from '../graphs.ts';
import { type ContestEffort, interleave, normwise, type Sample } from '../measure.ts';
import {
  type ResNetSize,
  randomTensors,
  resnetShapes,
  safetensorsOf,
  type TextSize,
  textFolder,
  textShapes,
  vocabularyOf,
} from '../models.ts';
import { type OnnxFiles, type OnnxTask, onnxTasks } from '../onnx-files.ts';
import type { PresetName } from '../parameters.ts';
import type { Recorder } from '../record.ts';
import type { BenchRow, EngineName, SuiteName, Work } from '../report.ts';
import type { Timed } from '../steady.ts';
import type {
  AttentionTask,
  Competitor,
  Contender,
  ConvTask,
  MatmulTask,
  ResNetTask,
  TextTask,
  Writer,
} from './contender.ts';
import { onnxDecoder, onnxResNet } from './onnx-models.ts';
import type { PeerFolders } from './packages.ts';

export interface ContestOptions {
  readonly folders: PeerFolders;
  readonly suites: readonly SuiteName[];
  /** Where the ONNX files of packages are; those that are missing are left out. */
  readonly onnx: OnnxFiles;
  readonly preset: PresetName;
  /** Only the cases whose name and shape have this in them. */
  readonly only: string;
  /** Only these engines, besides Tilewright. */
  readonly engines: readonly EngineName[];
}

/** How far results may lie apart, normwise: all compute in float32, but add in another order. */
export const TOLERANCE = 1e-3;

/** Small cases are over before noise is: they get at least 15 rounds. */
const SMALL: ContestEffort = { rounds: [15, 25], budgetMs: 4_000, patienceMs: 45_000 };
const LARGE: ContestEffort = { rounds: [3, 15], budgetMs: 10_000, patienceMs: 45_000 };
const SMALL_FLOPS = 2 * 512 ** 3;

/** Milliseconds that an engine may take to start, and to get ready for a case: one that hangs holds up no other. */
const PATIENCE_MS = 300_000;

/** A case, whatever engine enters. */
interface Match {
  readonly suite: SuiteName;
  /** What is timed of it: one row an engine each. */
  readonly parts: readonly Part[];
  readonly effort: ContestEffort;
  /** Undefined where the engine has no way to do it. */
  enter(competitor: Competitor): Promise<Entry> | undefined;
}

interface Part {
  readonly name: string;
  readonly shape: string;
  readonly rate?: (ms: number) => BenchRow['rate'];
}

interface Entry {
  /** Does the work once, which also warms up. What comes must be alike for all. */
  answers(): Promise<readonly ArrayLike<number>[]>;
  /** Of each part. */
  sample(): Promise<readonly Sample[]>;
  readonly work: readonly Work[] | undefined;
  /** What the timed work gave, where it is more than `answers` showed: alike for all as far as each went. */
  readonly timed?: () => readonly number[];
  /** What must be said of the figures. */
  readonly note?: () => string | undefined;
  dispose(): Promise<void> | void;
}

/**
 * All engines on the same adapter, with the same numbers. For every case each engine's results are first compared with ours:
 * who is wrong, or fails, gets a note and no row.
 */
export async function runContest(recorder: Recorder, options: ContestOptions): Promise<void> {
  const { preset, only, onnx, suites, folders, engines } = options;
  const { notes, versions } = recorder;
  const { openTilewright } = await import('./tilewright.ts');
  const competitors: Competitor[] = [await openTilewright(recorder.engine)];
  notes.push(...NOTES);
  try {
    for (const [engine, open] of Object.entries(openers(folders))) {
      if (!engines.includes(engine as EngineName)) continue;
      try {
        competitors.push(await until(open(), recorder.signal, PATIENCE_MS));
      } catch (error) {
        notes.push(`${engine} did not start: ${(error as Error).message}`);
      }
    }
    for (const { engine, version } of competitors) versions[engine] = version;
    const files = await onnxTasks(suites.includes('onnx') ? PEER_PRESET[preset].onnx : [], onnx);
    notes.push(...files.notes);
    const matches = matchesOf(PEER_PRESET[preset], suites, files.tasks).filter(({ parts }) =>
      parts.some(({ name, shape }) => `${name} ${shape}`.includes(only)),
    );
    const { length } = matches;
    for (let done = 0; done < length; done++) {
      const match = matches.shift()!; // what it computes with goes when it is over
      const label = `${match.parts[0]!.name} ${match.parts[0]!.shape}`;
      recorder.begin(done, length, label);
      const tell = (what: string): void => recorder.tell(`${label}: ${what}`);
      const { timings, work, said } = await play(match, competitors, recorder, tell);
      notes.push(...said.map((note) => `${label}: ${note}`));
      enterRows(recorder, match, timings, work);
    }
  } finally {
    for (const competitor of competitors) await competitor.close();
  }
}

/** A row for each engine and part of a match. */
function enterRows(
  recorder: Recorder,
  { suite, parts }: Match,
  timings: ReadonlyMap<EngineName, readonly Timed[]>,
  work: readonly Work[],
): void {
  for (const [part, { name, shape, rate }] of parts.entries()) {
    const reference = timings.get('tilewright')![part]!.ms.median;
    for (const [engine, own] of timings) {
      const timed = own[part]!;
      recorder.add({
        suite,
        name,
        shape,
        dtype: 'float32',
        engine,
        timed,
        work: work[part]!,
        rate: rate?.(timed.ms.median),
        reference,
        noRoof: engine === 'onnxruntime-web-wasm',
      });
    }
  }
}

/** Runs that are shorter, in ms, are queued until they take as long as the second number; then the device is waited for. */
const [SHORT_RUN, QUEUED] = [10, 20];

/** What all figures have in common. */
const NOTES = [
  `Rounds are interleaved A B B A; results were equal within ${TOLERANCE} (normwise) before any was timed.`,
  'Single ops: inputs and output stay on the device, whole runs end with onSubmittedWorkDone (wasm: in memory). ' +
    `Runs below ${SHORT_RUN} ms are queued to ${QUEUED} ms, with one wait at the end.`,
  'ResNet and ONNX files: inputs go up and outputs come back in every run. Decoders: every token is on the host before the ' +
    'next; onnxruntime-web reads the logits back and takes the likeliest there, keys and values stay on the device.',
];

/** What starts each peer. */
export const openers = ({
  onnxruntime,
  tensorflow,
  jax,
}: PeerFolders): Partial<Record<EngineName, () => Promise<Competitor>>> => ({
  'onnxruntime-web': async () => (await import('./onnxruntime.ts')).openOnnxRuntime(onnxruntime, 'webgpu'),
  'onnxruntime-web-wasm': async () => (await import('./onnxruntime.ts')).openOnnxRuntime(onnxruntime, 'wasm'),
  'tensorflow.js': async () => (await import('./tensorflow.ts')).openTensorFlow(tensorflow),
  'jax-js': async () => (await import('./jax.ts')).openJax(jax),
});

/** Prepares, compares and times one case; ours comes first in `competitors`. */
async function play(
  match: Match,
  competitors: readonly Competitor[],
  recorder: Recorder,
  tell: (what: string) => void,
): Promise<{ timings: Map<EngineName, Timed[]>; work: readonly Work[]; said: string[] }> {
  const entries = new Map<EngineName, Entry>();
  const said: string[] = [];
  let expected: readonly ArrayLike<number>[] = [];
  let work: readonly Work[] = [];
  try {
    for (const competitor of competitors) {
      const { engine } = competitor;
      const isOurs = competitor === competitors[0];
      tell(`${engine} gets ready`);
      let entry: Entry | undefined;
      try {
        const entering = match.enter(competitor);
        if (!entering) continue;
        entry = await until(entering, recorder.signal, PATIENCE_MS);
        const answers = await until(entry.answers(), recorder.signal, PATIENCE_MS);
        if (isOurs) [expected, work] = [answers, entry.work!];
        const off = Math.max(...answers.map((answer, i) => normwise(answer, expected[i]!)));
        if (!(off <= TOLERANCE)) throw new Error(`the result is ${off.toExponential(1)} off (normwise)`);
        entries.set(engine, entry);
      } catch (error) {
        await entry?.dispose();
        if (isOurs) throw error;
        said.push(`${engine} has no figure: ${(error as Error).message}`);
      }
    }
    const samplers = [...entries].map(([engine, entry]): [EngineName, () => Promise<readonly Sample[]>] => [
      engine,
      () => {
        tell(engine);
        return entry.sample();
      },
    ]);
    const all = await recorder.time(
      async () => [...(await interleave(new Map(samplers), match.effort)).values()].flat(),
      2,
    );
    const { length } = match.parts;
    const timings = new Map(samplers.map(([engine], i) => [engine, all.slice(i * length, (i + 1) * length)]));
    const own = entries.get('tilewright')!.timed?.();
    for (const [engine, { note, timed }] of entries) {
      const wrong = own && timed?.().findIndex((value, i) => value !== own[i]);
      if (wrong !== undefined && wrong >= 0) {
        timings.delete(engine);
        said.push(`${engine} has no figure: token ${wrong + 1} after the prompt differs`);
        continue;
      }
      const more = note?.();
      if (more) said.push(`${engine}: ${more}`);
    }
    return { timings, work, said };
  } finally {
    for (const entry of entries.values()) await entry.dispose();
  }
}

/** The cases of the suites that are asked for. What they compute with is made when the first engine enters. */
function matchesOf(preset: PeerPreset, suites: readonly SuiteName[], tasks: readonly OnnxTask[]): Match[] {
  const bySuite: Record<SuiteName, () => Match[]> = {
    matmul: () => preset.matmul.map((size) => matmulMatch('matmul', [size, size, size])),
    gemv: () => preset.gemv.map(([k, n]) => matmulMatch('gemv', [1, k, n])),
    conv: () => preset.conv.map(convMatch),
    attention: () => preset.attention.map(attentionMatch),
    resnet: () => preset.resnet.map(([name, size]) => resnetMatch(name, size)),
    onnx: () => [...tasks.map(onnxMatch), ...preset.resnet.map(([name, size]) => onnxResNetMatch(name, size))],
    gpt: () => preset.texts.map(([name, size]) => textMatch(name, size, preset)),
    softmax: () => [],
    elementwise: () => [],
    custom: () => [],
    load: () => [], // needs processes of its own: load.ts
  };
  return suites.flatMap((suite) => bySuite[suite]());
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const randomFloats = (shape: readonly number[], seed: number): Float32Array<ArrayBuffer> =>
  randomData('float32', shape, seed) as Float32Array<ArrayBuffer>;

/** [m,k] times [k,n], as any engine is given it. */
export const matmulTask = (m: number, k: number, n: number): MatmulTask => ({
  m,
  k,
  n,
  input: randomFloats([m, k], 1),
  weights: randomFloats([k, n], 2),
});

export function convTask(layer: ConvLayer): ConvTask {
  const { size, channels, out, window, groups } = layer;
  return {
    layer,
    input: randomFloats([1, size, size, channels], 1),
    weights: randomFloats([window, window, channels / groups, out], 2),
  };
}

export function attentionTask(shape: AttentionShape): AttentionTask {
  const { queries, keys, width } = shape;
  return {
    ...shape,
    query: randomFloats([queries, width], 1),
    key: randomFloats([keys, width], 2),
    value: randomFloats([keys, width], 3),
  };
}

function matmulMatch(suite: 'matmul' | 'gemv', [m, k, n]: [number, number, number]): Match {
  const task = lazily(() => matmulTask(m, k, n));
  return {
    suite,
    parts: [{ name: suite, shape: suite === 'gemv' ? `${k}x${n}` : `${m}x${k}x${n}` }],
    effort: 2 * m * k * n <= SMALL_FLOPS ? SMALL : LARGE,
    enter: (competitor) => enterOp(competitor.matmul?.(task())),
  };
}

function convMatch(layer: ConvLayer): Match {
  const { size, channels, out } = layer;
  const task = lazily(() => convTask(layer));
  return {
    suite: 'conv',
    parts: [{ name: `conv2d ${layerName(layer)}`, shape: `${size}x${size}x${channels}->${out}` }],
    effort: LARGE,
    enter: (competitor) => enterOp(competitor.conv2d?.(task())),
  };
}

function attentionMatch(shape: AttentionShape): Match {
  const task = lazily(() => attentionTask(shape));
  return {
    suite: 'attention',
    parts: [{ name: 'attention', shape: attentionName(shape) }],
    effort: SMALL,
    enter: (competitor) => enterOp(competitor.attention?.(task())),
  };
}

function resnetMatch(name: string, size: ResNetSize): Match {
  const task = lazily(() => resnetTask(size));
  const rate = (ms: number): BenchRow['rate'] => ({ value: 1000 / ms, unit: 'images/s' });
  return {
    suite: 'resnet',
    parts: [{ name, shape: `1x3x${size.image}x${size.image}`, rate }],
    effort: LARGE,
    enter: (competitor) => enterOp(competitor.resnet?.(task()), false),
  };
}

const onnxMatch = (task: OnnxTask): Match => ({
  suite: 'onnx',
  parts: [{ name: task.name, shape: task.shape }],
  effort: LARGE,
  enter: (competitor) => enterOp(competitor.onnx?.(task)),
});

function onnxResNetMatch(name: string, size: ResNetSize): Match {
  const { image } = size;
  const [title, shape] = [`${name} from ONNX`, `1x3x${image}x${image}`];
  const task = lazily((): OnnxTask => {
    const { onnx, pixels } = resnetTask(size);
    const inputs: OnnxTask['inputs'] = { image: { type: 'float32', dims: [1, 3, image, image], data: pixels } };
    return { name: title, shape, model: onnx.model, inputs };
  });
  return {
    suite: 'onnx',
    parts: [{ name: title, shape }],
    effort: LARGE,
    enter: (competitor) => enterOp(competitor.onnx?.(task()), false),
  };
}

/** Runs in the queue at most. */
const MOST_QUEUED = 200;

function enterOp(making: Promise<Contender> | undefined, queues = true): Promise<Entry> | undefined {
  return making?.then((contender) => {
    const time = async (count: number): Promise<number> => {
      const start = performance.now();
      await contender.run(count);
      return (performance.now() - start) / count;
    };
    let count = 1;
    return {
      async answers() {
        await contender.run(1);
        const answer = await contender.result();
        const ms = await time(1);
        if (queues && ms < SHORT_RUN) count = Math.min(MOST_QUEUED, Math.ceil(QUEUED / ms));
        return [answer];
      },
      async sample() {
        const ms = await time(count);
        return [{ ms, clocked: ms * count }];
      },
      work: contender.work && [contender.work],
      dispose: () => contender.dispose(),
    };
  });
}

export function resnetTask(size: ResNetSize): ResNetTask {
  const tensors = randomTensors(resnetShapes(size));
  return {
    size,
    tensors,
    safetensors: safetensorsOf(tensors),
    onnx: onnxResNet(tensors, size),
    pixels: randomFloats([1, 3, size.image, size.image], 1),
  };
}

function textTask(size: TextSize, prompt: number): TextTask {
  return { size, folder: textFolder(size), onnx: onnxDecoder(randomTensors(textShapes(size)), size), prompt };
}

function textMatch(name: string, size: TextSize, { prompt, tokens }: PeerPreset): Match {
  const perSecond =
    (count: number) =>
    (ms: number): BenchRow['rate'] => ({ value: (1000 * count) / ms, unit: 'tokens/s' });
  const task = lazily(() => textTask(size, prompt));
  return {
    suite: 'gpt',
    parts: [
      { name: `${name} prefill`, shape: `${prompt} tokens`, rate: perSecond(prompt) },
      { name: `${name} decode`, shape: `a token, after ${prompt}`, rate: perSecond(1) },
    ],
    effort: LARGE,
    enter: (competitor) =>
      competitor.text?.(task()).then((writer) => enterWriter(writer, vocabularyOf(size), prompt, tokens)),
  };
}

/** Time that decoding may take in one sample: who is slower decodes fewer tokens, and that is said. */
const DECODE_MS = 20_000;
/** Tokens of the prompt that is compared, and that tells how long a whole one will take. */
const SHORT = 8;

function enterWriter(writer: Writer, vocabulary: number, length: number, tokens: number): Entry {
  const random = createRandom(1);
  const prompt = Array.from({ length }, () => Math.floor(random() * vocabulary));
  let steps = tokens;
  let last: readonly number[] = [];
  /** Milliseconds of the prompt to its first token, and of a token after it; the tokens. */
  const time = async (
    given: readonly number[],
    count: number,
  ): Promise<{ ms: [number, number]; written: number[] }> => {
    const start = performance.now();
    let first = start;
    const written: number[] = [];
    for await (const token of writer.write(given, 1 + count)) {
      if (written.length === 0) first = performance.now();
      written.push(token);
    }
    return { ms: [first - start, (performance.now() - first) / count], written };
  };
  return {
    async answers() {
      const short = prompt.slice(0, SHORT);
      const logits = await writer.logits(short);
      const { ms, written } = await time(short, 2);
      const [prefill, step] = ms;
      steps = Math.max(2, Math.min(tokens, Math.floor(DECODE_MS / step)));
      if ((prefill * length) / SHORT < DECODE_MS) await time(prompt, 1); // kernels of long prompts may differ
      return [logits, written];
    },
    async sample() {
      const { ms, written } = await time(prompt, steps);
      last = written;
      const [prefill, step] = ms;
      return [
        { ms: prefill, clocked: prefill },
        { ms: step, clocked: step * steps },
      ];
    },
    timed: () => last,
    work: writer.work,
    note: () => (steps < tokens ? `${steps} of ${tokens} steps of decoding were timed` : undefined),
    dispose: () => writer.dispose(),
  };
}
