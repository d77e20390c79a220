import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { version } from '../../../package.json';
import type { Prediction } from '../../models/resnet.ts';
import type { Profile } from '../../profile/profile.ts';
import { WEIGHTS } from '../files.ts';
import { count, percent } from '../format.ts';
import type { Classified } from '../jobs/classify.ts';
import type { Generated } from '../jobs/generate.ts';
import type { JobEvent, ModelCard } from '../jobs/job.ts';
import { profileLines } from '../profile-table.ts';
import type { Runtime } from '../runtime.ts';
import type { Terminal } from '../terminal.ts';
import { type CommandContext, showProgress, withRuntime } from './context.ts';
import { pictures, speed } from './run.ts';

interface Sample {
  readonly file: string;
  readonly label: string;
}

const CLASSIFIER = 'resnet20-cifar10';
const GENERATOR = 'gpt-shakespeare';
const TEXT = {
  prompt: 'ROMEO:\n',
  maxNewTokens: 120,
  temperature: 0.7,
  topK: 40,
  seed: 1,
  overflow: 'stop',
} as const;

/** The models that ship at work: the sample pictures, a text, and what each kernel cost. */
export async function demo(context: CommandContext): Promise<void> {
  const { terminal } = context;
  const samples = JSON.parse(await readFile(inSamples('samples.json'), 'utf8')) as Sample[];
  await withRuntime(context, async (runtime) => {
    const results = await classifySamples(runtime, samples, context);
    terminal.print();
    const generated = await continuePrompt(runtime, context);
    const image = await profilePlan(runtime, CLASSIFIER, 'image', context);
    const decode = await profilePlan(runtime, GENERATOR, 'decode', context);
    const classified = results.map((result, n) => ({ ...samples[n], ...result }));
    terminal.result({ classified, generated: { ...TEXT, ...generated }, profiles: [image, decode] });
  });
}

const inSamples = (file: string): string => join(WEIGHTS, 'samples', file);

const modelArgs = async (runtime: Runtime, name: string) => ({
  model: await runtime.model(join(WEIGHTS, name)),
});

async function classifySamples(
  runtime: Runtime,
  samples: readonly Sample[],
  { terminal, signal }: CommandContext,
): Promise<Classified[]> {
  const onEvent = (event: JobEvent): void => {
    showProgress(terminal, event);
    if (event.type === 'adapter') {
      terminal.print(`${title(terminal, `Tilewright ${version}`)} on ${event.name}`);
      terminal.print(
        `in ${runtime.description}${event.software ? ', a software adapter: every figure below is one of the CPU' : ''}\n`,
      );
    }
    if (event.type === 'loaded') terminal.print(heading(terminal, 'Pictures', event.model));
    if (event.type === 'classified') terminal.print(sampleLine(terminal, samples[event.index]!, event.predictions));
  };
  const args = {
    ...(await modelArgs(runtime, CLASSIFIER)),
    topK: 5,
    pictures: runtime.lend(pictures(samples.map(({ file }) => inSamples(file)))),
  };
  const results = await runtime.run('classify', args, { signal, onEvent });
  const right = results.filter(({ predictions }, n) => isRight(samples[n]!, predictions)).length;
  const [, ...warm] = results;
  const ms = warm.reduce((sum, result) => sum + result.ms, 0) / warm.length;
  terminal.print(`  ${right} of ${samples.length} right, ${ms.toFixed(1)} ms a picture`);
  return results;
}

const isRight = ({ label }: Sample, predictions: readonly Prediction[]): boolean => predictions[0]?.label === label;

function sampleLine(terminal: Terminal, sample: Sample, predictions: readonly Prediction[]): string {
  const mark = isRight(sample, predictions) ? terminal.paint('green', '✓') : terminal.paint('red', '✗');
  const [first, ...others] = predictions.map(({ label, probability }) => `${label} ${percent(probability)}`);
  return `  ${mark} ${sample.file.padEnd(16)} ${title(terminal, first!)}${terminal.paint('dim', `, ${others.join(', ')}`)}`;
}

async function continuePrompt(runtime: Runtime, { terminal, signal }: CommandContext): Promise<Generated> {
  const indented = (text: string): string => text.replaceAll('\n', '\n  ');
  const onEvent = (event: JobEvent): void => {
    showProgress(terminal, event);
    if (event.type === 'loaded') {
      terminal.print(heading(terminal, 'Text', event.model));
      terminal.write(indented(`  ${terminal.paint('dim', TEXT.prompt)}`));
    }
    if (event.type === 'token') terminal.write(indented(event.text));
  };
  const generated = await runtime.run(
    'generate',
    { ...(await modelArgs(runtime, GENERATOR)), ...TEXT },
    { signal, onEvent },
  );
  terminal.print(`\n  ${speed(generated)}; seed ${TEXT.seed}\n`);
  return generated;
}

async function profilePlan(
  runtime: Runtime,
  name: string,
  plan: string,
  { terminal, signal }: CommandContext,
): Promise<Profile> {
  const onEvent = (event: JobEvent): void => showProgress(terminal, event);
  const [profiled] = await runtime.run('profile', { ...(await modelArgs(runtime, name)), plan }, { signal, onEvent });
  const lines = profileLines(
    { ...profiled!.profile, plan: `Profile of ${name}, ${plan}` },
    { heading: (text) => title(terminal, text) },
  );
  for (const line of lines) terminal.print(line);
  terminal.print();
  return profiled!.profile;
}

const title = (terminal: Terminal, text: string): string => terminal.paint('bold', text);

const heading = (terminal: Terminal, what: string, { architecture, dtype, parameters }: ModelCard): string =>
  `${title(terminal, what)}: ${architecture}, ${dtype}, ${count(parameters, 'parameter')}`;
