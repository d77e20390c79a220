import type { ErrorCode } from '../../src/errors.ts';

/** The code of the error that a promise fails with, its message where it has none; 'fine' where it does not fail. */
export const codeOf = (work: Promise<unknown>): Promise<ErrorCode | 'fine'> =>
  work.then(
    () => 'fine',
    ({ code, message }) => code ?? message,
  );
