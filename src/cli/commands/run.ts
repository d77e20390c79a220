import { basename } from 'node:path';
import type { Prediction } from '../../models/resnet.ts';
import { mustExist, resolveModel } from '../files.ts';
import { duration } from '../format.ts';
import type { GenerateArgs, Generated } from '../jobs/generate.ts';
import { packPictures } from '../picture-batch.ts';
import { decodeFile } from '../pictures.ts';
import type { Terminal } from '../terminal.ts';
import { type CommandContext, follow, loadArgs, withRuntime } from './context.ts';
import { type RunGraphOptions, runGraph } from './run-graph.ts';

export interface RunOptions extends RunGraphOptions {
  readonly image?: readonly string[];
  readonly prompt?: string;
  readonly topK?: number;
  readonly topP?: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
  readonly overflow: 'stop' | 'slide';
}

/** A model on pictures, on a prompt or on tensors. */
export async function run(model: string, options: RunOptions, context: CommandContext): Promise<void> {
  const source = await resolveModel(model);
  if (options.prompt !== undefined) await runPrompt(source, options.prompt, options, context);
  else if (options.image) await runPictures(source, options.image, options, context);
  else await runGraph(source, options, context);
}

async function runPictures(
  source: string,
  files: readonly string[],
  { topK = 5, ...options }: RunOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  await Promise.all(files.map(mustExist));
  await withRuntime(context, async (runtime) => {
    const onEvent = follow(context, runtime, (event) => {
      if (event.type === 'classified') printPredictions(terminal, files[event.index]!, event.predictions);
    });
    const model = await runtime.model(source);
    const args = { model, load: loadArgs(options), topK, pictures: runtime.lend(pictures(files)) };
    const results = await runtime.run('classify', args, { signal, onEvent });
    terminal.result(results.map((result, n) => ({ file: files[n], ...result })));
  });
}

/** Picture files, decoded one at a time. */
export async function* pictures(files: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const file of files) yield packPictures([{ picture: await decodeFile(file), label: 0 }]);
}

const BAR = 30;

function printPredictions(terminal: Terminal, file: string, predictions: readonly Prediction[]): void {
  const width = Math.min(40, Math.max(...predictions.map(({ label }) => label.length)));
  terminal.print(terminal.paint('bold', basename(file)));
  for (const { label, probability } of predictions) {
    const bar = '█'.repeat(Math.round(probability * BAR));
    const share = (100 * probability).toFixed(1).padStart(5);
    terminal.print(`  ${label.slice(0, width).padEnd(width)}  ${share} %  ${terminal.paint('cyan', bar)}`.trimEnd());
  }
}

async function runPrompt(source: string, prompt: string, options: RunOptions, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const { maxNewTokens, temperature, topK = 40, topP, overflow } = options;
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  await withRuntime(context, async (runtime) => {
    let shown = terminal.paint('dim', prompt);
    const onEvent = follow(context, runtime, (event) => {
      if (event.type !== 'token') return;
      terminal.write(shown + event.text);
      shown = '';
    });
    const args: GenerateArgs = {
      model: await runtime.model(source),
      load: loadArgs(options),
      prompt,
      maxNewTokens,
      temperature,
      topK,
      topP,
      seed,
      overflow,
    };
    const generated = await runtime.run('generate', args, { signal, onEvent }).finally(() => {
      if (!shown) terminal.print(); // an error too begins a line of its own
    });
    terminal.note(terminal.paintNote('dim', `${speed(generated)}; seed ${seed}`));
    terminal.result({ prompt, seed, ...generated });
  });
}

/** `100 tokens in 3.10 s: 33.1 tokens/s, the first after 0.12 s`. */
export function speed({ tokens, ms, firstMs, tokensPerSecond }: Generated): string {
  const rate =
    tokens.length > 1 ? `: ${tokensPerSecond.toFixed(1)} tokens/s, the first after ${duration(firstMs / 1e3)}` : '';
  return `${tokens.length} tokens in ${duration(ms / 1e3)}${rate}`;
}
