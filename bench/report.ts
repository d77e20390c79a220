import type { AdapterCard } from '../src/index.ts';

export type SuiteName = 'matmul' | 'conv2d' | 'resnet' | 'gpt';
export const SUITES: readonly SuiteName[] = ['matmul', 'conv2d', 'resnet', 'gpt'];

export type BenchDataType = 'float32' | 'float16' | 'int8';

/** Milliseconds of one run over `n` samples. */
export interface Timing {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly n: number;
}

export interface BenchRow {
  readonly suite: SuiteName;
  /** What runs: `matmul`, `conv2d 3x3`, `resnet20`, `gpt decode`. */
  readonly name: string;
  readonly shape: string;
  /** The type of the weights; activations are float16 for `float16` and float32 else. */
  readonly dtype: BenchDataType;
  readonly engine: 'tilewright';
  readonly ms: Timing;
  /** Floating-point operations a second, in 10^9: a multiply-accumulate is two. */
  readonly gflops: number;
  /** Bytes that the run must move at least, a second, in 10^9. */
  readonly gbps: number;
  /** Work in the unit that people count it in, where there is one. */
  readonly rate?: { readonly value: number; readonly unit: 'images/s' | 'tokens/s' };
}

export interface BenchReport {
  readonly adapter: AdapterCard;
  /** ISO 8601, when the bench began. */
  readonly date: string;
  readonly versions: { readonly tilewright: string; readonly browser: string };
  readonly rows: readonly BenchRow[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}
