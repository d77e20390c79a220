import { ERROR_CODES, type ErrorCode, TilewrightError } from '../errors.ts';

/** An error as plain JSON: for the way out of a page, and for `--json`. */
export interface WireError {
  /** One of ERROR_CODES, or `unexpected` for what is no error of the engine's. */
  readonly code: ErrorCode | 'unexpected';
  readonly message: string;
  readonly hint?: string;
}

export function toWire(error: unknown): WireError {
  if (error instanceof TilewrightError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint !== undefined && { hint }) };
  }
  return { code: 'unexpected', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

export function fromWire({ code, message, hint }: WireError): Error {
  if (code === 'unexpected' || !ERROR_CODES.includes(code)) return new Error(message);
  return new TilewrightError(code, message, hint === undefined ? {} : { hint });
}
