import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { checkArgument, checkOptions, integer, type Rules, signal, text } from '../../options.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import { ofEachToken } from './heads.ts';
import { softmax } from './labels.ts';
import { EncoderModel, encoderParts, type Reading } from './model.ts';

/** A part of a passage that answers a question: `passage.slice(start, end)`. */
export interface Answer {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The probability of its first token times that of its last. */
  readonly score: number;
}

/** How a passage is asked. */
export interface AnswerOptions {
  /** Answers at the most, the best first. Default 1. */
  topK?: number;
  /** Tokens of an answer at the most. Default 15. */
  maxAnswerTokens?: number;
  /** Tokens of the passage that two windows of a long one share. Default 128, or half a window. */
  stride?: number;
  signal?: AbortSignal;
}

const ANSWER_RULES: Rules<AnswerOptions> = {
  topK: integer(1),
  maxAnswerTokens: integer(1),
  stride: integer(0),
  signal,
};

/** A model on the device that finds the answer to a question in a passage. */
export class QuestionAnswerer extends EncoderModel {
  readonly task = 'question-answering';

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<QuestionAnswerer> {
    return new QuestionAnswerer(await encoderParts(gpu, files, options)).prepare(options);
  }

  protected reading(): Reading {
    return ofEachToken(this.family, this.task);
  }

  /**
   * The answers to a question that a passage has, the best first. A passage longer than the model reads is read in windows that share `stride`
   * tokens. Errors: `context-exceeded` for a question that leaves no room for a passage, `invalid-argument` for an empty passage,
   * `aborted`, `disposed`, `device-lost`.
   */
  async answer(question: string, passage: string, options: AnswerOptions = {}): Promise<Answer[]> {
    checkArgument('answer', 'question', question, text);
    checkArgument('answer', 'passage', passage, text);
    checkOptions('answer', options, ANSWER_RULES);
    const { tokenizer, context } = this;
    const bare = (words: string): number[] => tokenizer.encode(words, { addSpecialTokens: false });
    const [asked, words] = [bare(question), bare(passage)];
    if (!words.length) throw new TilewrightError('invalid-argument', 'answer: passage: expected a text, got none');
    const room = context - tokenizer.frame(asked, []).ids.length;
    if (room < 1)
      throw new TilewrightError(
        'context-exceeded',
        `the question has ${asked.length} tokens, and the model reads at most ${context} with the passage`,
      );
    const { topK = 1, maxAnswerTokens = 15, stride = 128 } = options;
    const step = room - Math.min(stride, room >> 1);
    const starts = Array.from({ length: Math.max(1, Math.ceil((words.length - room) / step) + 1) }, (_, i) => i * step);
    const windows = starts.map((from) => tokenizer.frame(asked, words.slice(from, from + room)));
    const places = tokenizer.offsets(passage);
    const found = new Map<string, Answer>();
    await this.runAll(
      windows,
      this.reading(),
      ({ logits }, { indices, tokens }) => {
        for (const [row, index] of indices.entries()) {
          const own = (logits as Float32Array).subarray(row * tokens * 2, (row + 1) * tokens * 2);
          const [from, first] = [starts[index]!, windows[index]!.starts[1]!];
          const count = Math.min(room, words.length - from);
          const side = (which: 0 | 1): Float32Array =>
            softmax(Float32Array.from({ length: count }, (_, i) => own[2 * (first + i) + which]!));
          for (const [start, end, score] of spans(side(0), side(1), maxAnswerTokens, topK)) {
            const [begin, finish] = [places[from + start]?.[0], places[from + end]?.[1]];
            if (begin === undefined || finish === undefined) continue;
            const answer = { text: passage.slice(begin, finish), start: begin, end: finish, score };
            const key = `${begin} ${finish}`;
            if (score > (found.get(key)?.score ?? 0)) found.set(key, answer);
          }
        }
      },
      options.signal,
    );
    return [...found.values()].sort((a, b) => b.score - a.score).slice(0, topK);
  }
}

/** The `most` likeliest spans of at most `longest` tokens. */
function spans(begins: Float32Array, ends: Float32Array, longest: number, most: number): [number, number, number][] {
  const all: [number, number, number][] = [];
  for (const [start, begin] of begins.entries())
    for (let end = start; end < Math.min(ends.length, start + longest); end++)
      all.push([start, end, begin * ends[end]!]);
  return all.sort((a, b) => b[2] - a[2]).slice(0, most);
}
