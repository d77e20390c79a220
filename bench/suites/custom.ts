import type { GraphModel, ImageClassifier, Model, TextGenerator } from '../../src/index.ts';
import { madeUp, symbolsFrom } from '../../src/onnx/exchange.ts';
import type { LoadDataType } from '../cases.ts';
import type { Sample } from '../measure.ts';
import { onnxWork } from '../onnx-files.ts';
import type { Work } from '../report.ts';
import { type Case, type Context, type CustomModel, type Measured, type Suite, timeCalls } from './case.ts';
import { timeText } from './gpt.ts';
import { timeImages } from './resnet.ts';

/** A model of the user's: its load, its first answer, and answers after that. As it is stored, or in each type that is asked for. */
export const custom: Suite = (context) => {
  const { model, dtypes = [undefined] } = context;
  if (!model) return [];
  return dtypes
    .filter((dtype) => dtype !== 'w8a8')
    .map(
      (dtype): Case => ({
        suite: 'custom',
        name: model.name,
        shape: '',
        dtype: dtype ?? 'float32',
        run: () => timeModel(context, model, dtype),
      }),
    );
};

async function timeModel(
  context: Context,
  { name, source, dims }: CustomModel,
  dtype: LoadDataType | undefined,
): Promise<Measured[]> {
  const { engine, signal } = context.recorder;
  const before = engine.counters.bytes;
  const began = performance.now();
  const model = await engine.load(source, { signal, ...(dtype && { dtype }), ...(dims && { dims }) });
  try {
    const loaded = performance.now();
    const { answer, shape, steady } = answersOf(context, model, name);
    await answer();
    const answered = performance.now();
    const rows = await steady();
    const { weightBytes } = model.info;
    const first = rows[0]!.work;
    const once = async (part: string, ms: number, work: Work): Promise<Measured> => {
      const [timed] = await context.recorder.time(async () => [[{ ms, clocked: ms } satisfies Sample]], 1);
      return { name: `${name} ${part}`, shape, timed: timed!, work };
    };
    const deviceBytes = engine.counters.bytes - before;
    return [
      await once('load', loaded - began, { flops: 0, bytes: weightBytes.file }),
      await once('first answer', answered - loaded, first),
      ...rows,
    ].map((row) => ({ ...row, dtype: model.dtype, deviceBytes }));
  } finally {
    model.dispose();
  }
}

/** What a model of any kind is asked. */
interface Answers {
  readonly shape: string;
  answer(): Promise<unknown>;
  steady(): Promise<Measured[]>;
}

function answersOf(context: Context, model: Model, name: string): Answers {
  if (model.task === 'image-classification') return imagesOf(context, model, name);
  if (model.task === 'text-generation') return textOf(context, model, name);
  return graphOf(context, model as GraphModel, name, context.model?.dims ?? {});
}

function imagesOf(context: Context, model: ImageClassifier, name: string): Answers {
  const [height, width] = model.preprocessing.size;
  const shape = `1x3x${height}x${width}`;
  const pixels = new Float32Array(3 * height * width).fill(0.5);
  return {
    shape,
    answer: () => model.logits(pixels, 1, { signal: context.recorder.signal }),
    steady: async () => (await timeImages(context, model, 1)).map((row) => ({ ...row, name, shape })),
  };
}

const textOf = (context: Context, model: TextGenerator, name: string): Answers => ({
  shape: 'a token',
  async answer() {
    const { signal } = context.recorder;
    for await (const _ of model.generate([0], { maxNewTokens: 1, temperature: 0, stopTokens: [], signal }));
  },
  steady: () => timeText(context, model, name),
});

/** An ONNX model, with inputs that are made up. Error: `invalid-argument` where a dimension is not known. */
function graphOf(context: Context, model: GraphModel, name: string, dims: Readonly<Record<string, number>>): Answers {
  const symbols = symbolsFrom(model.inputs, [], dims);
  const inputs = Object.fromEntries(
    model.inputs.map((input) => {
      const { data, ...made } = madeUp(input, symbols, 1);
      return [input.name, { ...made, data: input.type === 'float32' ? Float32Array.from(data as number[]) : data }];
    }),
  );
  const shape = Object.values(inputs)
    .map(({ dims: own }) => own.join('x'))
    .join(', ')
    .slice(0, 300);
  const answer = () => model.run(inputs, { signal: context.recorder.signal });
  return {
    shape,
    answer,
    steady: async () => {
      const timed = await timeCalls(context, answer);
      return [{ name, shape, timed, work: await onnxWork(model) }];
    },
  };
}
