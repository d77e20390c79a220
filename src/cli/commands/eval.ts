import { TilewrightError } from '../../errors.ts';
import { integer, list, object, type Rule, type Rules, refuse, text } from '../../options.ts';
import { calibrationOver } from '../calibrate.ts';
import { mustExist, readText, resolveModel } from '../files.ts';
import { duration, percent } from '../format.ts';
import type { Question } from '../jobs/eval-choices.ts';
import type { ImageScore } from '../jobs/eval-images.ts';
import type { ModelCard } from '../jobs/job.ts';
import { batchSize, labelledBatches, openFor } from '../labelled-batches.ts';
import { preprocessArgs } from '../preprocessing.ts';
import type { Runtime } from '../runtime.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface EvalOptions extends ModelOptions {
  readonly images?: string;
  readonly text?: string;
  /** A JSON file of questions. */
  readonly choices?: string;
  /** The share of the text's characters to leave out at its beginning. */
  readonly from: number;
  readonly limit?: number;
  readonly batch?: number;
  readonly activations?: 'dynamic' | 'static';
  /** Pictures or a text to take the scales of static activations from. */
  readonly calibrate?: string;
  readonly percentile?: number;
  readonly everywhere?: boolean;
  /** Of an ONNX model: how pictures become numbers, by name or from a file. */
  readonly preprocess?: string;
}

/** What a model is loaded with besides its address; calibrates it first where that is asked for. */
async function modelArgs(
  source: string,
  { text: words, activations, calibrate, percentile, everywhere, preprocess, ...options }: EvalOptions,
  runtime: Runtime,
  context: CommandContext,
) {
  const pictures = await preprocessArgs(preprocess);
  const args = { model: await runtime.model(source), load: loadArgs(options), ...pictures };
  if (!activations) return args;
  const chosen = { ...args.load, activations, ...(everywhere && { everywhere }) };
  if (calibrate === undefined) return { ...args, load: chosen };
  const samples = { path: calibrate, text: words !== undefined, percentile };
  const calibration = await calibrationOver(samples, args, runtime, context);
  return { ...args, load: { ...chosen, calibration } };
}

/** How good a model is on labelled pictures, on a text or on questions. */
export async function evaluate(model: string, options: EvalOptions, context: CommandContext): Promise<void> {
  const source = await resolveModel(model);
  if (options.images !== undefined) await evaluatePictures(source, options.images, options, context);
  else if (options.text !== undefined) await evaluateText(source, options.text, options, context);
  else await evaluateChoices(source, options.choices!, options, context);
}

/** Above so many classes a table of them says little. */
const MOST_CLASSES = 20;

async function evaluatePictures(
  source: string,
  path: string,
  options: EvalOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const { limit, batch } = options;
  await mustExist(path);
  let labels: readonly string[] | undefined;
  let total: number | undefined;
  await withRuntime(context, async (runtime) => {
    let tell = (_: ModelCard): void => {};
    const loaded = new Promise<ModelCard>((resolve) => {
      tell = resolve;
    });
    // The labels are known when the model is: then the first batch is asked for.
    async function* batches(): AsyncGenerator<Uint8Array> {
      const card = await loaded;
      const dataset = await openFor(card, path, limit);
      ({ labels, count: total } = dataset);
      yield* labelledBatches(dataset, card.classes ?? Number.POSITIVE_INFINITY, batch ?? batchSize(card));
    }
    const onEvent = follow(context, runtime, (event) => {
      if (event.type === 'loaded') tell(event.model);
      if (event.type === 'done' && total) terminal.bars.update('pictures', event.done, total, event.label);
    });
    const args = { ...(await modelArgs(source, options, runtime, context)), pictures: runtime.lend(batches()) };
    const score = await runtime.run('evalImages', args, { signal, onEvent });
    terminal.bars.clear();
    const perSecond = score.pictures / score.seconds;
    for (const line of scoreLines(score, labels, (text) => terminal.paint('bold', text))) terminal.print(line);
    terminal.result({
      ...score,
      top1Share: score.top1 / score.pictures,
      top5Share: score.top5 / score.pictures,
      perSecond,
      labels,
    });
  });
}

export function scoreLines(
  { pictures, top1, top5, confusion, seconds }: ImageScore,
  labels?: readonly string[],
  heading: (text: string) => string = (text) => text,
): string[] {
  const share = (name: string, right: number): string =>
    `${heading(name)}  ${percent(right / pictures, 2)}  ${right} of ${pictures}`;
  const lines = [
    share('top-1', top1),
    share('top-5', top5),
    `${heading('time ')}  ${duration(seconds)}, ${(pictures / seconds).toFixed(1)} pictures/s`,
  ];
  if (confusion.length > MOST_CLASSES) return lines;
  const name = (label: number): string => labels?.[label] ?? `class ${label}`;
  const rows = confusion.map((answers, label) => {
    const all = answers.reduce((sum, n) => sum + n, 0);
    const wrong = answers.map((n, answer) => ({ n: answer === label ? 0 : n, answer })).sort((a, b) => b.n - a.n)[0]!;
    return [
      name(label),
      String(all),
      String(answers[label]),
      all ? percent(answers[label]! / all) : '',
      wrong.n ? `${name(wrong.answer)} ${wrong.n}` : '',
    ];
  });
  const columns = [
    { title: 'class' },
    { title: 'pictures', right: true },
    { title: 'right', right: true },
    { title: 'share', right: true },
    { title: 'most taken for' },
  ];
  return [...lines, '', ...table(columns, rows, { heading })];
}

async function evaluateText(
  source: string,
  path: string,
  options: EvalOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const { limit, from } = options;
  const whole = await readText(path);
  const text = new TextEncoder().encode(endOf(whole, from));
  await withRuntime(context, async (runtime) => {
    const args = {
      ...(await modelArgs(source, options, runtime, context)),
      text: runtime.lend([text]),
      ...(limit !== undefined && { limit }),
    };
    const score = await runtime.run('evalText', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    const { perplexity, loss, tokens, windows, seconds } = score;
    const strong = (name: string): string => terminal.paint('bold', name.padEnd(10));
    terminal.print(`${strong('perplexity')}  ${perplexity.toFixed(3)}`);
    terminal.print(`${strong('loss')}  ${loss.toFixed(6)} nats a token`);
    terminal.print(`${strong('tokens')}  ${tokens} scored in ${windows} windows`);
    terminal.print(`${strong('time')}  ${duration(seconds)}, ${(tokens / seconds).toFixed(1)} tokens/s`);
    terminal.result({ ...score, tokensPerSecond: tokens / seconds });
  });
}

async function evaluateChoices(
  source: string,
  path: string,
  options: EvalOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const questions = readQuestions(path, await readText(path)).slice(0, options.limit);
  await withRuntime(context, async (runtime) => {
    const args = { ...(await modelArgs(source, options, runtime, context)), questions };
    const score = await runtime.run('evalChoices', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    const share = (name: string, right: number): string =>
      `${terminal.paint('bold', name.padEnd(8))}  ${percent(right / score.questions, 2)}  ${right} of ${score.questions}`;
    terminal.print(share('right', score.right));
    terminal.print(`${share('by byte', score.rightByByte)}: the likeliest for each byte of its text`);
    terminal.print(`${terminal.paint('bold', 'time'.padEnd(8))}  ${duration(score.seconds)}`);
    const { questions: count } = score;
    terminal.result({ ...score, accuracy: score.right / count, accuracyByByte: score.rightByByte / count });
  });
}

const QUESTION: Rules<Question> = {
  prompt: text,
  choices: ['a list of two texts or more', (value) => list(NOT_EMPTY)[1](value) && (value as string[]).length > 1],
  answer: integer(0),
};
const NOT_EMPTY: Rule = ['a text', (value) => typeof value === 'string' && value !== ''];

/** The questions of a JSON file. Error: `invalid-file`, which names the question and the field. */
export function readQuestions(path: string, json: string): Question[] {
  const fail = (what: string): never => {
    throw new TilewrightError('invalid-file', `${path}: ${what}`, {
      hint: 'Questions are a list: [{ "prompt": "2 + 2 =", "choices": [" 3", " 4"], "answer": 1 }].',
    });
  };
  let read: unknown;
  try {
    read = JSON.parse(json);
  } catch (cause) {
    fail(`is no JSON: ${(cause as Error).message}`);
  }
  if (!list(object)[1](read) || !(read as object[]).length) return fail('is no list of questions');
  return (read as Question[]).map((question, i) => {
    const unknown = Object.keys(question).find((name) => !Object.hasOwn(QUESTION, name));
    if (unknown !== undefined) fail(`question ${i}: ${unknown} is not known`);
    for (const [name, [expected, fits]] of Object.entries(QUESTION)) {
      const value = question[name as keyof Question];
      if (!fits(value)) refuse('invalid-file', `${path}: question ${i}`, name, expected, value);
    }
    if (question.answer >= question.choices.length)
      refuse(
        'invalid-file',
        `${path}: question ${i}`,
        'answer',
        `a number below ${question.choices.length}`,
        question.answer,
      );
    return question;
  });
}

/** The text from a share of its characters on, as Python counts them: a pair of surrogates is one. */
export function endOf(text: string, from: number): string {
  if (from === 0) return text;
  const characters = Array.from(text);
  return characters.slice(Math.floor(characters.length * from)).join('');
}
