import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npyData, writeNpy } from '../../formats/npy.ts';
import { type Summary, summaryOf } from '../../onnx/exchange.ts';
import { formatShape } from '../../tensor/types.ts';
import type { RanOutput } from '../jobs/run-graph.ts';
import { table } from '../table.ts';
import { fileNameOf, readInputs } from '../tensor-files.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface RunGraphOptions extends ModelOptions {
  /** `name=file`, files or folders. */
  readonly input?: readonly string[];
  /** A folder for the outputs, a file each. */
  readonly output?: string;
  /** Makes up the inputs that are not given. */
  readonly random?: boolean;
  readonly seed?: number;
}

/** An output in short: of texts only the first. */
interface Shown extends Omit<RanOutput, 'data'>, Partial<Omit<Summary, 'first'>> {
  readonly first: readonly (number | string)[];
  readonly file?: string;
}

/** Elements of an output that are shown. */
const FIRST = 6;

/** An ONNX model on tensors. */
export async function runGraph(
  source: string,
  { input = [], output, random = false, seed = 0, ...options }: RunGraphOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  await withRuntime(context, async (runtime) => {
    const inputs = await readInputs(input, (bytes) => runtime.lend([bytes]));
    const pieces: Uint8Array[] = [];
    const args = {
      model: await runtime.model(source),
      load: loadArgs(options),
      inputs,
      ...(random && { seed }),
      sink: runtime.take((bytes) => {
        pieces.push(bytes);
      }),
    };
    const results = await runtime.run('runGraph', args, { signal, onEvent: follow(context, runtime) });
    if (output !== undefined) await mkdir(output, { recursive: true });
    const shown: Shown[] = [];
    for (const result of results) {
      const bytes = typeof result.data === 'string' ? pieces.shift()! : undefined;
      const file = output === undefined ? undefined : await write(output, result, bytes);
      shown.push({ ...inShort(result, bytes), ...(file !== undefined && { file }) });
    }
    for (const line of outputLines(shown, (text) => terminal.paint('bold', text))) terminal.print(line);
    terminal.result(shown);
  });
}

/** Writes an output as .npy, or its texts as JSON that `--input` reads. Gives the path. */
async function write(folder: string, { name, dims, data }: RanOutput, bytes: Uint8Array | undefined): Promise<string> {
  const stem = join(folder, fileNameOf(name));
  const [path, content] =
    typeof data === 'string'
      ? [`${stem}.npy`, writeNpy({ type: data, dims, bytes: bytes! })]
      : [`${stem}.json`, JSON.stringify({ dims, data })];
  await writeFile(path, content);
  return path;
}

function inShort({ data, ...output }: RanOutput, bytes: Uint8Array | undefined): Shown {
  if (typeof data !== 'string') return { ...output, first: data.slice(0, FIRST) };
  return { ...output, ...summaryOf(output.type, npyData(data, bytes!), FIRST) };
}

/** `0.12346`. */
const number = (value: number | string | undefined): string =>
  typeof value === 'number' ? String(Number.isInteger(value) ? value : Number(value.toPrecision(5))) : (value ?? '');

function outputLines(outputs: readonly Shown[], heading: (text: string) => string): string[] {
  const columns = [
    { title: 'output', elastic: true },
    { title: 'type' },
    { title: 'dims' },
    { title: 'least', right: true },
    { title: 'largest', right: true },
    { title: 'mean', right: true },
    { title: 'NaN', right: true },
    { title: 'first values', elastic: true },
  ];
  const lines = outputs.map(({ name, type, dims, least, largest, mean, nan, first }) => [
    name,
    type,
    formatShape(dims),
    number(least),
    number(largest),
    number(mean),
    nan ? String(nan) : '',
    first.map(number).join(' '),
  ]);
  const files = outputs.flatMap(({ file }) => file ?? []);
  return [...table(columns, lines, { heading }), ...files.map((file) => `written: ${file}`)];
}
