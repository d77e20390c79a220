import { type ErrorCode, TilewrightError } from '../errors.ts';
import type { Kind } from './members.ts';

/** What stands in a message for something that cannot be in one has this field. */
export const MARK = '$tilewright';

/** The number of the call that every port begins with: that it is open. */
export const OPENED = 0;
/** The number that the class `Engine` has at every port. */
export const STATICS = 0;

/** What opens a port to the engine in a worker. `base`: what relative addresses are relative to. `lock`: held while the worker lives. */
export interface Opening {
  readonly [MARK]: 'open';
  readonly base: string;
  readonly lock: string;
}

/** Stands for an object of the worker, or for the page's signal or callback. Numbers are of one port. */
export type Stand =
  | { readonly [MARK]: 'object'; readonly id: number; readonly kind: Kind; readonly told: Told }
  | { readonly [MARK]: 'given'; readonly id: number }
  | { readonly [MARK]: 'signal'; readonly id: number; readonly aborted: boolean; readonly reason: unknown }
  | { readonly [MARK]: 'callback'; readonly id: number };

/** Members of an object that the page has by itself. What throws when it is read is an error here. */
export type Told = Readonly<Record<string, { readonly value: unknown } | { readonly error: SentError }>>;

export type ToWorker =
  | { readonly call: number; readonly on: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly abort: number; readonly reason: unknown }
  /** Frees an object: a model is disposed of, a generator returns. Nothing is answered. */
  | { readonly free: number };

export type FromWorker =
  | { readonly answer: number; readonly value: unknown; readonly states: readonly State[] }
  | { readonly answer: number; readonly error: SentError; readonly states: readonly State[] }
  | { readonly callback: number; readonly args: readonly unknown[] }
  /** The engine's device is lost; the engine has another. */
  | { readonly lost: { readonly reason: string; readonly message: string } }
  | { readonly recovered: State };

/** What an object of the worker has become. */
export type State = readonly [id: number, told: Told];

export const standOf = (value: object): Stand | undefined =>
  Object.hasOwn(value, MARK) ? (value as Stand) : undefined;

/** Whether an object holds values by name, and is of no class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An error as it is sent: of another class than `TilewrightError`, as it is. */
export type SentError =
  | { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined; readonly cause: unknown }
  | { readonly other: unknown };

export function sendError(error: unknown): SentError {
  if (!(error instanceof TilewrightError)) return { other: sendable(error) };
  const { code, message, hint, cause } = error;
  return { code, message, hint, cause: cause instanceof TilewrightError ? sendError(cause) : sendable(cause) };
}

export function receiveError(sent: SentError): unknown {
  if ('other' in sent) return sent.other;
  const { code, message, hint, cause } = sent;
  const below = isPlain(cause) && 'code' in cause && 'hint' in cause ? receiveError(cause as SentError) : cause;
  return new TilewrightError(code, message, { ...(hint !== undefined && { hint }), cause: below });
}

/** A value as it is where it can be sent; else its numbers and texts by name, as of a `Response`, or what it says. */
export function sendable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    if (typeof value !== 'object' || value === null) return String(value);
    const { name, message, status, statusText, url } = value as Partial<Error & Response>;
    return JSON.parse(JSON.stringify({ name, message, status, statusText, url }));
  }
}
