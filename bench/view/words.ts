import { make } from '../../examples/shared/dom.ts';
import { bytes, number } from '../../examples/shared/format.ts';
import { adapterName } from '../../src/gpu/adapter.ts';
import { type BenchReport, type BenchRow, type Ceilings, caseName as caseOf, type Unsteady } from '../report.ts';

/** A report as it comes in: without ceilings until they are measured. */
export type Shown = Omit<BenchReport, 'ceilings'> & { readonly ceilings: Ceilings | undefined };

const TITLES: Readonly<Record<string, string>> = {
  matmul: 'Matrix product',
  gemv: 'Matrix times vector',
  conv: 'Convolution',
  attention: 'Attention',
  softmax: 'Softmax',
  elementwise: 'Elementwise',
  resnet: 'ResNets, images',
  onnx: 'ONNX files',
  gpt: 'GPT, tokens',
  load: 'Loading',
  custom: 'Your own model',
};

/** The name of a suite for people. */
export const suiteTitle = (suite: string): string => TITLES[suite] ?? suite;

/** What tells a case from all others of a report. */
export const caseKey = ({ suite, name, shape, dtype, engine }: BenchRow): string =>
  [suite, name, shape, dtype, engine].join('|');

/** `matmul 256x256x256 float32`, with the engine where it is not ours. */
export const caseName = (row: BenchRow): string =>
  `${caseOf(row)}${row.engine === 'tilewright' ? '' : `, ${row.engine}`}`;

/** Rows of this engine, not of peers beside it. */
export const ownRows = (rows: readonly BenchRow[]): BenchRow[] => rows.filter(({ engine }) => engine === 'tilewright');

/** What a GPU is called: as its owner says, else as the browser does. */
export const gpuName = ({ gpu, adapter }: Pick<BenchReport, 'gpu' | 'adapter'>): string =>
  gpu || adapter.description || adapterName(adapter);

/** `Chrome 156 on Linux`; `Node or Deno` where there was no browser. */
export function browserName(agent: string): string {
  const [, name, major] = /(Edg|Firefox|Chrome|Version)\/(\d+)/.exec(agent.replace(/Chrome(?=.*Edg)/, '')) ?? [];
  if (!name) return 'no browser';
  const known: Record<string, string> = { Edg: 'Edge', Version: 'Safari' };
  const system = /Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/.exec(agent)?.[0];
  return `${known[name] ?? name} ${major}${system ? ` on ${system.replace('Mac OS X', 'macOS')}` : ''}`;
}

/** `NVIDIA H100 · Chrome 156 on Linux · 2026-11-28`: a run among others. */
export const runName = (report: Pick<BenchReport, 'gpu' | 'adapter' | 'versions' | 'date'>): string =>
  `${gpuName(report)} · ${browserName(report.versions['browser'] ?? '')} · ${report.date.slice(0, 10)}`;

/** Why a figure is not steady, in words. */
export const WHY_UNSTEADY: Readonly<Record<Unsteady, string>> = {
  spread: 'its samples lie far apart',
  drift: 'its samples rise or fall from first to last',
  quantum: 'the clock is too coarse for it',
  load: 'something else slowed the GPU beside it',
};

/** The marks of a figure in short; the notes of its run say what each means. */
export const unsteadyMark = (unsteady: readonly Unsteady[]): HTMLElement =>
  make(
    'span',
    { class: 'mark-unsteady', title: unsteady.map((why) => WHY_UNSTEADY[why]).join(', ') },
    `unsteady: ${unsteady.join(', ')}`,
  );

/** `12.3 ms, p10–p90 12.1–12.9 of 15 samples`. */
export const timingText = ({ ms: { median, p10, p90, n } }: BenchRow): string =>
  `${number(median)} ms, p10–p90 ${number(p10)}–${number(p90)} of ${n} sample${n === 1 ? '' : 's'}`;

/** All figures of a row in one line. */
export function rowText(row: BenchRow): string {
  const { gflops, gbps, pctOfRoof, rate, unsteady, tries, deviceBytes } = row;
  const parts = [
    timingText(row),
    `${number(gflops)} GFLOPS`,
    `${number(gbps)} GB/s`,
    ...(pctOfRoof === null ? [] : [`${number(pctOfRoof)} % of the roof`]),
    ...(rate ? [`${number(rate.value)} ${rate.unit}`] : []),
    ...(deviceBytes ? [`${bytes(deviceBytes)} on the device`] : []),
    ...(tries ? [`measured ${tries} times`] : []),
    ...(unsteady ? [`unsteady: ${unsteady.map((why) => WHY_UNSTEADY[why]).join(', ')}`] : []),
  ];
  return `${caseName(row)}: ${parts.join(', ')}`;
}

/** What the adapter can do at most, in words: the roofs that rows are a share of. */
export function ceilingsText({ fmaF32, fmaF16, dotInt8, readGbps, dispatchUs }: Ceilings): string {
  const parts = [
    `${number(fmaF32)} GFLOPS of multiply-adds in float32`,
    ...(fmaF16 === undefined ? [] : [`${number(fmaF16)} in float16`]),
    ...(dotInt8 === undefined ? [] : [`${number(dotInt8)} GOPS of int8 dot products`]),
    `${number(readGbps)} GB/s read`,
    `${number(dispatchUs)} µs a dispatch`,
  ];
  return `Measured ceilings: ${parts.join(', ')}.`;
}
