import type { AdapterCard } from '../src/index.ts';
import type { Ceilings } from '../src/profile/roof.ts';

export type { Ceilings };

/** The suites that run by default, in this order. */
export const SUITES = [
  'matmul',
  'gemv',
  'conv',
  'attention',
  'softmax',
  'elementwise',
  'resnet',
  'onnx',
  'gpt',
  'load',
] as const;
/** `custom` is a model of the user's: it runs where one is given. */
export const ALL_SUITES = [...SUITES, 'custom'] as const;
export type SuiteName = (typeof ALL_SUITES)[number];

export const ENGINES = ['tilewright', 'onnxruntime-web', 'onnxruntime-web-wasm', 'tensorflow.js', 'jax-js'] as const;
export type EngineName = (typeof ENGINES)[number];
/** Those that load a model file: their start is timed too. */
export const LOADERS = ['tilewright', 'onnxruntime-web', 'onnxruntime-web-wasm'] as const satisfies EngineName[];
export type Loader = (typeof LOADERS)[number];
export const PEERS = ENGINES.filter((name) => name !== 'tilewright');

/**
 * Types of weights, and of operands where there are none: int8 has a scale a channel, int4 a scale a group of 32; `w8a8` has int8
 * activations too, quantised in the run.
 */
export const DTYPES = ['float32', 'float16', 'int8', 'int4', 'w8a8'] as const;
export type BenchDataType = (typeof DTYPES)[number];

/** Milliseconds of one run over `n` samples. A sample is one run, or the mean of as many as the clock needs. */
export interface Timing {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly n: number;
  /** Each sample, in the order taken, rounded to four digits; absent in reports before version 2. */
  readonly samples?: readonly number[];
}

/**
 * Why a figure is not steady: `spread`, p90 is far from p10; `drift`, its samples rise or fall from first to last; `quantum`, the
 * clock is too coarse for it; `load`, the pulse beside it was slower than at its best, so something slowed the GPU.
 */
export const UNSTEADY = ['spread', 'drift', 'quantum', 'load'] as const;
export type Unsteady = (typeof UNSTEADY)[number];

export interface BenchRow {
  readonly suite: SuiteName;
  /** What runs: `matmul`, `conv2d 3x3`, `resnet18`, `gpt decode`. */
  readonly name: string;
  readonly shape: string;
  /** The type of the weights; activations are float16 for `float16` and float32 else. */
  readonly dtype: BenchDataType;
  readonly engine: EngineName;
  readonly ms: Timing;
  /** Floating-point operations a second, in 10^9: a multiply-accumulate is two. */
  readonly gflops: number;
  /** Bytes that the run must move at least, a second, in 10^9. */
  readonly gbps: number;
  /**
   * Percent of the lower of two roofs, that of arithmetic and that of memory; null where the ceilings are not this
   * engine's.
   */
  readonly pctOfRoof: number | null;
  /** This engine's median over Tilewright's, in the same run: 4 means that Tilewright is four times faster. */
  readonly ratioToTilewright: number;
  /** What one run computes and must move at least: a point of the roofline. Absent in reports before version 2. */
  readonly work?: Work;
  /** Absent where the figure is steady. */
  readonly unsteady?: readonly Unsteady[];
  /** How often it was measured, where the first time was unsteady: the steadiest stands. */
  readonly tries?: number;
  /** Milliseconds since the run began, when the case began and ended. Absent in reports before version 2. */
  readonly at?: readonly [from: number, to: number];
  /** Bytes on the device of a model: weights, states, intermediates. */
  readonly deviceBytes?: number;
  /** Work in the unit that people count it in, where there is one. */
  readonly rate?: { readonly value: number; readonly unit: 'images/s' | 'tokens/s' };
}

/** One figure for a whole run, by a formula that has a version: scores of two versions are not compared. */
export interface Score {
  readonly version: number;
  /** 100 times the geometric mean of the reference's times over these: 200 is twice as fast. */
  readonly value: number;
  /** The adapter whose score is 100. */
  readonly reference: string;
  /** The cases that it is made of. */
  readonly cases: readonly string[];
  /** Those of them whose figures are unsteady. */
  readonly unsteady?: readonly string[];
}

export interface BenchReport {
  /** The version of this format; absent is 1. */
  readonly format?: 2;
  readonly adapter: AdapterCard;
  /** What the user calls the GPU, since browsers mask it. */
  readonly gpu?: string;
  /** The sizes that were chosen: `quick`, `full`. */
  readonly preset?: string;
  /** Absent where a case of it was not run. */
  readonly score?: Score;
  /** Milliseconds of one same small kernel over the run, by milliseconds since it began: how the clock of the GPU went. */
  readonly pulse?: readonly (readonly [at: number, ms: number])[];
  /** Why nothing in it counts: the tab was hidden, the device was lost. */
  readonly void?: string;
  /** ISO 8601, when the bench began. */
  readonly date: string;
  /** Of every engine in the rows, and of the browser. */
  readonly versions: Readonly<Record<string, string>>;
  readonly ceilings: Ceilings;
  readonly rows: readonly BenchRow[];
  /** What was left out, and why; what a figure includes. */
  readonly notes: readonly string[];
}

/** A row's case, whatever engine ran it: `matmul 512x512x512 float32`. */
export const caseName = ({ name, shape, dtype }: Pick<BenchRow, 'name' | 'shape' | 'dtype'>): string =>
  `${name} ${shape} ${dtype}`;

/** What one run does. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** Figures of a run: how fast, and how near to the roof, which is the longer of computing all and moving all. */
export function figuresOf(
  { flops, bytes }: Work,
  ms: number,
  dtype: BenchDataType,
  { fmaF32, fmaF16 = fmaF32, dotInt8 = 0, readGbps }: Ceilings,
): Pick<BenchRow, 'gflops' | 'gbps'> & { pctOfRoof: number } {
  const [gflops, gbps] = [flops / 1e6 / ms, bytes / 1e6 / ms];
  // Products of bytes may be computed either way.
  const arithmetic = { float16: fmaF16, w8a8: Math.max(dotInt8, fmaF32) }[dtype as string] ?? fmaF32;
  return { gflops, gbps, pctOfRoof: 100 * Math.max(gflops / arithmetic, gbps / readGbps) };
}
