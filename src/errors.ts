/** Every error code of the engine, in one place: what it means. The codes are stable; the messages may change. */
export const ERROR_CODES = [
  /** This environment has no WebGPU (no navigator.gpu). */
  'no-webgpu',
  /** WebGPU is there, but no adapter could be had. */
  'no-adapter',
  /** The GPU device was lost: driver reset, sleep, or destroyed from outside. */
  'device-lost',
  /** The GPU could not allocate a buffer. */
  'out-of-memory',
  /** Something is larger than a limit of this adapter, or than `memory.budget`. */
  'limit-exceeded',
  /** A WGSL module was refused by the compiler. */
  'shader-compile',
  /** WebGPU refused a call: a defect of the engine. */
  'gpu-validation',
  /** Bytes are not what their format demands (truncated, overlapping, oversized, not the format at all). */
  'invalid-file',
  /** A data type that cannot be represented on the GPU. */
  'unsupported-type',
  /** A file is not there. */
  'not-found',
  /** What was to be kept cannot be: there is no cache here, or no room in it. */
  'no-cache',
  /** A fetch failed. */
  'network',
  /** A hub gives the model only to those who may have it: a token is needed, or its terms are to be agreed to. */
  'access-denied',
  /** A file is another one than when its reading began. */
  'file-changed',
  /** The checkpoint lacks a tensor that the architecture needs. */
  'missing-tensor',
  /** A tensor has another shape than is needed. */
  'wrong-shape',
  /** A tensor has another data type than is needed. */
  'wrong-type',
  /** An argument is out of its range, or an option is not known. */
  'invalid-argument',
  /** A file of the model says something that would change the result and that is not computed here. */
  'unsupported-option',
  /** The checkpoint has tensors that no layer of the architecture takes. */
  'unused-tensor',
  /** An op produced infinity or NaN: looked for where `check: 'finite'` is set. */
  'not-finite',
  /** A file has ops or types that are not computed here: the message names them all. */
  'unsupported-op',
  /** The graph cannot be built as asked. */
  'invalid-graph',
  /** Neither the config nor the tensors name a model that is known. */
  'unknown-architecture',
  /** The picture cannot be decoded. */
  'invalid-image',
  /** The prompt and the tokens asked for are longer than the context of the model. */
  'context-exceeded',
  /** An optional package is needed for this and is not installed. */
  'missing-dependency',
  /** Parts of the library that load later cannot be loaded here: `import()` is not allowed in service workers. */
  'no-import',
  /** The worker of `tilewright/worker` could not be started, or has ended. */
  'worker-lost',
  /** The object was disposed of before this call. */
  'disposed',
  /** The caller aborted the operation. */
  'aborted',
] as const;

/** What went wrong: stable, for programs to test. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What an error says beside its message. */
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

export const aborted = (signal: AbortSignal, what: string): TilewrightError =>
  new TilewrightError('aborted', `${what} was aborted`, { cause: signal.reason });

/** Throws `aborted` when the signal says so. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw aborted(signal, what);
}
