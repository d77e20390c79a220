import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { onnxFiles } from '../../../bench/onnx-files.ts';
import type { BenchParameters, PresetName } from '../../../bench/parameters.ts';
import { type PeerFolders, peerFolders } from '../../../bench/peers/packages.ts';
import {
  ALL_SUITES,
  type BenchDataType,
  type BenchReport,
  type BenchRow,
  type Ceilings,
  type EngineName,
  type Loader,
  PEERS,
  type Score,
  type SuiteName,
} from '../../../bench/report.ts';
import { TilewrightError } from '../../errors.ts';
import { adapterName } from '../../gpu/adapter.ts';
import { REPOSITORY, resolveModel, WEIGHTS } from '../files.ts';
import { figures } from '../format.ts';
import type { JobEvent } from '../jobs/job.ts';
import type { Runtime } from '../runtime.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, withRuntime } from './context.ts';

export interface BenchOptions extends Omit<BenchParameters, 'suites' | 'dtypes' | 'peers'> {
  readonly suite?: readonly (SuiteName | 'all')[];
  readonly dtype?: readonly BenchDataType[];
  /** All peers, or these. */
  readonly peers?: true | readonly EngineName[];
  /** The folder or the file of a model of one's own: the suite `custom`. */
  readonly model?: string;
  /** Of an ONNX model: numbers for the symbols among its dimensions. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Only starts of this engine. */
  readonly startOf?: Loader;
  /** Where the report goes as JSON. */
  readonly file?: string;
}

/** The bench page's measurements, or those beside the peers, as a table. */
export async function bench(
  { suite, dtype, peers: asked, model, dims, startOf, file, ...given }: BenchOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  if (startOf !== undefined) return start(startOf, given.preset ?? 'quick', context);
  const chosen = suite ?? [model === undefined ? 'all' : 'custom'];
  const suites = ALL_SUITES.filter((name) =>
    chosen.includes('all') ? name !== 'custom' || model !== undefined : chosen.includes(name),
  );
  const peers = asked === true ? PEERS : asked;
  let report = await withRuntime(context, async (runtime) => {
    const args = {
      ...given,
      weights: await runtime.model(WEIGHTS),
      suites: peers ? suites.filter((name) => name !== 'load') : suites,
      onnx: await onnxFiles(async (path) => {
        const file = join(REPOSITORY, 'node_modules', path);
        return existsSync(file) ? runtime.model(file) : undefined;
      }),
      ...(dtype && { dtypes: dtype }),
      ...(peers && { peers, peerFolders: await foldersOf(runtime) }),
      ...(model !== undefined && {
        model: {
          name: basename(model).slice(0, 100),
          source: await runtime.model(await resolveModel(model)),
          ...(dims && { dims }),
        },
      }),
    };
    return runtime.run('bench', args, { signal, onEvent: follow(context, runtime, tellLines(context)) });
  });
  if (peers && suites.includes('load')) {
    const { startRows } = await import('./bench-starts.ts');
    const engines: EngineName[] = ['tilewright', ...peers];
    const size = given.preset ?? (report.adapter.software ? 'quick' : 'full');
    const { rows, notes } = await startRows({ ceilings: report.ceilings, preset: size, engines }, context);
    report = { ...report, rows: [...report.rows, ...rows], notes: [...report.notes, ...notes] };
  }
  for (const line of benchLines(report, (text) => terminal.paint('bold', text))) terminal.print(line);
  terminal.result(report);
  if (file === undefined) return;
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  terminal.note(`written to ${file}`);
}

/** Times a few starts of one engine in this process, for the bench that called it. */
async function start(engine: Loader, preset: PresetName, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  await withRuntime(context, async (runtime) => {
    const args = { engine, preset, peers: await foldersOf(runtime), starts: STARTS };
    terminal.result(await runtime.run('benchStart', args, { signal }));
  });
}

/** Starts in one process: the first is cold. */
const STARTS = 2;

/** Where the files of the peers are, as jobs name them. Error: `missing-dependency`. */
const foldersOf = (runtime: Runtime): Promise<PeerFolders> =>
  peerFolders((name) => {
    const folder = join(REPOSITORY, 'node_modules', name, 'dist');
    if (existsSync(folder)) return runtime.model(folder);
    throw new TilewrightError('missing-dependency', `${name} is not installed`, {
      hint: 'The peers are dev dependencies: run npm install in a clone of the repository.',
    });
  });

/** Where there is no terminal to show a bar, each case gets a line. */
function tellLines({ terminal }: CommandContext): (event: JobEvent) => void {
  let last: string | undefined;
  return (event) => {
    if (process.stderr.isTTY || event.type !== 'done' || event.label === undefined) return;
    const [name] = event.label.split(': ');
    if (name !== last) terminal.note(`${event.done + 1} of ${event.total}  ${name}`);
    last = name;
  };
}

export function benchLines(
  { adapter, ceilings, rows, notes, score, void: reason }: BenchReport,
  heading: (text: string) => string = (text) => text,
): string[] {
  const peers = rows.some(({ engine }) => engine !== 'tilewright');
  const numbers = [
    'ms',
    'p10',
    'p90',
    'n',
    'GFLOPS',
    'GB/s',
    '% roof',
    ...(peers ? ['ratio'] : []),
    'rate',
    'unsteady',
  ];
  const cells = ({
    suite,
    name,
    shape,
    dtype,
    engine,
    ms,
    gflops,
    gbps,
    pctOfRoof,
    ratioToTilewright,
    rate,
    unsteady = [],
  }: BenchRow): string[] => [
    suite,
    name,
    shape,
    peers ? engine : dtype,
    ...[ms.median, ms.p10, ms.p90].map(figures),
    String(ms.n),
    figures(gflops),
    figures(gbps),
    pctOfRoof === null ? '' : pctOfRoof.toFixed(1),
    ...(peers ? [ratioToTilewright.toFixed(2)] : []),
    rate ? `${figures(rate.value)} ${rate.unit}` : '',
    unsteady.join(', '),
  ];
  const columns = [
    { title: 'suite' },
    { title: 'case', elastic: true },
    { title: 'shape', elastic: true },
    { title: peers ? 'engine' : 'type' },
    ...numbers.map((title) => ({ title, right: true })),
  ];
  return [
    heading(adapterName(adapter)),
    ...(reason === undefined ? [] : [heading(`Void: ${reason}`)]),
    ceilingsLine(ceilings),
    ...(score ? [scoreLine(score)] : []),
    ...table(columns, rows.map(cells), { heading, width: peers ? 150 : 118 }),
    ...notes,
  ];
}

/** `score 123.4 (version 1; SwiftShader is 100)`. */
const scoreLine = ({ value, version, reference, unsteady = [] }: Score): string =>
  `score ${value.toFixed(1)} (version ${version}; ${reference} is 100${unsteady.length ? `; unsteady: ${unsteady.join(', ')}` : ''})`;

/** `ceilings: FMA 12.3 GFLOPS, ...`. */
function ceilingsLine({ fmaF32, fmaF16, dotInt8, readGbps, dispatchUs }: Ceilings): string {
  const parts = [
    `FMA ${figures(fmaF32)} GFLOPS`,
    ...(fmaF16 === undefined ? [] : [`float16 ${figures(fmaF16)}`]),
    ...(dotInt8 === undefined ? [] : [`int8 dot ${figures(dotInt8)} GOPS`]),
    `read ${figures(readGbps)} GB/s`,
    `dispatch ${figures(dispatchUs)} µs`,
  ];
  return `ceilings: ${parts.join(', ')}`;
}
