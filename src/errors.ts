/** Every error code of the engine, in one place: what it means. The codes are stable; the messages may change. */
export const ERROR_CODES = {
  'no-webgpu': 'This environment has no WebGPU (no navigator.gpu).',
  'no-adapter': 'WebGPU is there, but no adapter could be had.',
  'device-lost': 'The GPU device was lost: driver reset, sleep, or destroyed from outside.',
  'out-of-memory': 'The GPU could not allocate a buffer.',
  'limit-exceeded': 'Something is larger than a limit of this adapter.',
  'shader-compile': 'A WGSL module was refused by the compiler.',
  'gpu-validation': 'WebGPU refused a call: a defect of the engine.',
  'invalid-file': 'Bytes are not what their format demands (truncated, overlapping, oversized, not the format at all).',
  'unsupported-type': 'A data type that cannot be represented on the GPU.',
  'not-found': 'A file is not there.',
  network: 'A fetch failed.',
  'missing-tensor': 'The checkpoint lacks a tensor that the architecture needs.',
  'wrong-shape': 'A tensor has another shape than is needed.',
  'wrong-type': 'A tensor has another data type than is needed.',
  'invalid-argument': 'An argument is out of its range.',
  'invalid-graph': 'The graph cannot be built as asked.',
  'unknown-architecture': 'Neither the config nor the tensors name a model that is known.',
  'invalid-image': 'The picture cannot be decoded.',
  'context-exceeded': 'The prompt and the tokens asked for are longer than the context of the model.',
  'missing-dependency': 'An optional package is needed for this and is not installed.',
  busy: 'The model is at work on another call that it cannot share.',
  disposed: 'The object was disposed of before this call.',
  aborted: 'The caller aborted the operation.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What to do about it, in one sentence. */
  hint?: string;
  cause?: unknown;
}

/** The only error class the engine throws: a stable `code`, a message with expected, got and dimension, a `hint`. */
export class TilewrightError extends Error {
  override readonly name = 'TilewrightError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** Throws `aborted` when the signal says so. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new TilewrightError('aborted', `${what} was aborted`, { cause: signal.reason });
}
