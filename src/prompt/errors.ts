import { type ErrorCode, TilewrightError } from '../errors.ts';
import { checkOptions, object, type Rules } from '../options.ts';

/** What the standard calls what the engine found. All else is its `UnknownError`, or `OperationError` while a session is made. */
const NAMES: Partial<Record<ErrorCode, string>> = {
  aborted: 'AbortError',
  disposed: 'InvalidStateError',
  network: 'NetworkError',
  'invalid-argument': 'NotSupportedError',
  'not-found': 'NotSupportedError',
  'unsupported-op': 'NotSupportedError',
  'unsupported-option': 'NotSupportedError',
  'unsupported-type': 'NotSupportedError',
  'unknown-architecture': 'NotSupportedError',
  'no-webgpu': 'NotSupportedError',
  'no-adapter': 'NotSupportedError',
};

const withCause = <T extends Error>(error: T, cause: unknown): T =>
  cause === undefined ? error : Object.defineProperty(error, 'cause', { value: cause, configurable: true });

/** An error of the standard. */
export const domException = (name: string, message: string, cause?: unknown): DOMException =>
  withCause(new DOMException(message, name), cause);

export const notSupported = (message: string, cause?: unknown): DOMException =>
  domException('NotSupportedError', message, cause);

/** An error of the engine as the standard has it, with the engine's own as its `cause`. Others are what they are. */
export function standard(error: unknown, otherwise: 'OperationError' | 'UnknownError'): unknown {
  if (!(error instanceof TilewrightError)) return error;
  const { code, message, hint } = error;
  return domException(NAMES[code] ?? otherwise, hint ? `${message}. ${hint}` : message, error);
}

/** Tokens that were asked for and those that there may be, as the standard's QuotaExceededError has them. */
interface Quota {
  readonly requested: number;
  readonly quota: number;
}

/** The standard's own class is younger than the browsers that it is wanted in. */
class OwnQuotaExceededError extends DOMException {
  readonly requested: number;
  readonly quota: number;

  constructor(message: string, { requested, quota }: Quota) {
    super(message, 'QuotaExceededError');
    this.requested = requested;
    this.quota = quota;
  }
}

/** The input does not fit: `requested` tokens of `quota`. */
export function quotaExceeded(what: string, quota: Quota): DOMException {
  const message = `${what}: ${quota.requested} tokens are more than the context of ${quota.quota}`;
  const { QuotaExceededError = OwnQuotaExceededError } = globalThis as {
    QuotaExceededError?: typeof OwnQuotaExceededError;
  };
  return withCause(new QuotaExceededError(message, quota), new TilewrightError('context-exceeded', message));
}

/** Checks options: a TypeError for a value that is none, as of a dictionary of the web platform; a NotSupportedError for a name that is not known. */
export function checked<T extends object>(call: string, options: T, rules: Rules<T>): T {
  try {
    checkOptions(call, options, rules);
    return options;
  } catch (cause) {
    const { message } = cause as Error;
    const known = !object[1](options) || Object.keys(options).every((name) => Object.hasOwn(rules, name));
    throw known ? new TypeError(message, { cause }) : notSupported(message, cause);
  }
}

/** What a promise gives, unless a signal fires before: then its reason, at once. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const gone = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([gone, work]);
}
