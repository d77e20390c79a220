import type { ModelSource, TextGenerator } from '../../src/index.ts';
import { createRandom } from '../../src/text/random.ts';
import type { LoadDataType } from '../cases.ts';
import { modelWork } from '../graphs.ts';
import { samplesBetween } from '../measure.ts';
import { textFolder } from '../models.ts';
import {
  type Case,
  type Context,
  folderOf,
  type Measured,
  rateOf,
  type Suite,
  timeCalls,
  timeOne,
  typesOf,
  withModel,
} from './case.ts';

/** The GPT that ships with its own weights, and published shapes with random ones. */
export const gpt: Suite = (context) => {
  const shipped = folderOf('gpt-shakespeare', context);
  return [
    ...typesOf(context, context.preset.modelDtypes).map((dtype) => writes(context, 'gpt', () => shipped, dtype)),
    ...context.preset.gpts.flatMap(([name, size]) =>
      typesOf(context, context.preset.networkDtypes).map((dtype) =>
        writes(context, name, () => textFolder(size), dtype),
      ),
    ),
  ];
};

const writes = (context: Context, name: string, source: () => ModelSource, dtype: LoadDataType): Case => ({
  suite: 'gpt',
  name,
  shape: `${context.preset.prompt} tokens`,
  dtype,
  run: () => withModel(context, source(), { dtype }, (model: TextGenerator) => timeText(context, model, name)),
});

/** A prompt to its first token, and tokens after it: a row each. */
export const timeText = async (context: Context, model: TextGenerator, name: string): Promise<Measured[]> => [
  await timePrefill(context, model, name),
  await timeDecode(context, model, name),
];

/** Each text is read from its beginning, and ends where it is told to. */
const PLAIN = { temperature: 0, stopTokens: [], promptCache: false };

/** Random tokens: what they mean does not change what they cost. */
function randomTokens(model: TextGenerator, count: number): number[] {
  const random = createRandom(1);
  return Array.from({ length: count }, () => Math.floor(random() * model.shape.vocabulary));
}

/** A prompt to its first token. */
async function timePrefill(context: Context, model: TextGenerator, name: string): Promise<Measured> {
  const { signal } = context.recorder;
  const length = Math.min(context.preset.prompt, model.context - 1);
  const prompt = randomTokens(model, length);
  const timed = await timeCalls(context, async () => {
    for await (const _ of model.generate(prompt, { ...PLAIN, maxNewTokens: 1, signal }));
  });
  return {
    name: `${name} prefill`,
    shape: `${length} tokens`,
    timed,
    work: await modelWork(model, model.graph(length, 'last')),
    rate: rateOf(length, timed.ms.median, 'tokens/s'),
  };
}

/** A token after the other, from the second on: sampling and read-back included. */
async function timeDecode(context: Context, model: TextGenerator, name: string): Promise<Measured> {
  const { signal, quantum } = context.recorder;
  const prompt = randomTokens(model, Math.min(16, model.context >> 1));
  const tokens = Math.min(context.preset.tokens, model.context - prompt.length - 1);
  const timed = await timeOne(context, async () => {
    const moments: number[] = [];
    const options = { ...PLAIN, maxNewTokens: tokens + 1, signal };
    for await (const _ of model.generate(prompt, options)) moments.push(performance.now());
    return samplesBetween(moments, quantum);
  });
  return {
    name: `${name} decode`,
    shape: `${tokens} tokens`,
    timed,
    work: await modelWork(model, model.graph(1, 'last')),
    rate: rateOf(1, timed.ms.median, 'tokens/s'),
  };
}
