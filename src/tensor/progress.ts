/**
 * How far a long piece of work has come. `fetch`, `upload` and `quantize` count bytes, `compile` pipelines, `tune`
 * shapes, `verify` kernels.
 */
export interface Progress {
  phase: 'fetch' | 'upload' | 'quantize' | 'compile' | 'tune' | 'verify';
  /** Of `total`, in the unit of the phase. */
  loaded: number;
  total: number;
  /** What is being worked on: a file, a tensor, a kernel. */
  label?: string;
}

/** Is called as long work goes on, often. */
export type OnProgress = (progress: Progress) => void;
