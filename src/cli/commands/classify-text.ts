import { percent } from '../format.ts';
import type { CommandContext } from './context.ts';
import { onTexts, type TextsOptions } from './texts.ts';

export interface ClassifyTextOptions extends TextsOptions {
  readonly pair?: string;
  readonly topK?: number;
}

/** What a model says of texts: labels, labelled words, answers or what may stand in gaps, by its task. */
export async function classifyText(
  model: string,
  given: readonly string[],
  { pair, topK, ...options }: ClassifyTextOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { result } = await onTexts('readTexts', model, given, options, { pair, topK }, context);
  for (const { text, labels } of result) {
    terminal.print(terminal.paint('bold', text));
    if (!labels.length) terminal.print('  nothing');
    for (const { label, score } of labels) terminal.print(`  ${percent(score, 1).padStart(6)}  ${label}`);
  }
  terminal.result(result);
}
