import { TilewrightError } from '../../errors.ts';
import { tokenLoss } from '../../text/perplexity.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { Job } from './job.ts';
import { loadGenerator, type ModelArgs } from './load.ts';

/** A question with its answers: the model says how likely it would go on from `prompt` with each of `choices`. */
export interface Question {
  readonly prompt: string;
  readonly choices: readonly string[];
  /** The right choice, counted from 0. */
  readonly answer: number;
}

export interface EvalChoicesArgs extends ModelArgs {
  readonly questions: readonly Question[];
}

export interface ChoicesScore {
  readonly questions: number;
  /** Questions whose likeliest choice is the right one: by its probability, and by that for each byte of its text. */
  readonly right: number;
  readonly rightByByte: number;
  /** Of each question the natural logarithm of the probability of each choice. */
  readonly logprobs: readonly (readonly number[])[];
  readonly seconds: number;
}

/** Multiple choice, as lm-evaluation-harness counts it (`acc`, `acc_norm`). Text and choice are put together as they are. */
export const evalChoices: Job<EvalChoicesArgs, ChoicesScore> = async ({ questions, ...args }, context) => {
  const { emit, signal } = context;
  const model = await loadGenerator(args, context);
  const { vocabulary } = model.shape;
  const start = performance.now();
  const logprobOf = async (prompt: string, choice: string): Promise<number> => {
    const { ids, from } = continuation(model.tokenizer, prompt, choice);
    // The last tokens that fit; the first of all has nothing before it to be foretold from.
    const cut = Math.max(0, ids.length - model.context);
    if (from <= cut) {
      throw new TilewrightError(
        'context-exceeded',
        `a choice of ${ids.length - from} tokens has no room for its prompt`,
        {
          hint: `The context is ${model.context} tokens.`,
        },
      );
    }
    const taken = ids.slice(cut);
    const logits = await model.logits(taken, { signal });
    let sum = 0;
    for (let i = from - cut; i < taken.length; i++)
      sum -= tokenLoss(logits.subarray((i - 1) * vocabulary, i * vocabulary), taken[i]!);
    return sum;
  };
  const logprobs: number[][] = [];
  let [right, rightByByte] = [0, 0];
  for (const [index, { prompt, choices, answer }] of questions.entries()) {
    const own: number[] = [];
    for (const choice of choices) own.push(await logprobOf(prompt, choice));
    const byByte = own.map((logprob, i) => logprob / new TextEncoder().encode(choices[i]).length);
    right += Number(likeliest(own) === answer);
    rightByByte += Number(likeliest(byByte) === answer);
    logprobs.push(own);
    emit({ type: 'done', done: index + 1, total: questions.length, label: 'questions' });
  }
  return { questions: questions.length, right, rightByByte, logprobs, seconds: (performance.now() - start) / 1e3 };
};

/** The first of the largest. */
const likeliest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/**
 * The tokens of both texts together, and the first that is not the prompt's: a choice may change the token at its seam. At least one token
 * stands before it. Error: `invalid-argument` where there is none.
 */
export function continuation(
  tokenizer: Pick<Tokenizer, 'encode' | 'bosTokenId'>,
  prompt: string,
  choice: string,
): { ids: readonly number[]; from: number } {
  const [before, whole] = [tokenizer.encode(prompt), tokenizer.encode(prompt + choice)];
  let from = 0;
  while (from < before.length && from < whole.length - 1 && before[from] === whole[from]) from++;
  if (from > 0) return { ids: whole, from };
  if (tokenizer.bosTokenId === undefined)
    throw new TilewrightError('invalid-argument', 'a prompt is empty, and the tokenizer has no token to begin with', {
      hint: 'Begin each prompt with a word or a line end.',
    });
  return { ids: [tokenizer.bosTokenId, ...whole], from: 1 };
}
