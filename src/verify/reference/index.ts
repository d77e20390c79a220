import type { RefInputs, RefTensor } from './tensor.ts';

/** Returns the one result, or all of them. */
export type Reference = (inputs: RefInputs, options: object) => RefTensor | readonly RefTensor[];

/**
 * What each op computes, in float64 and as plainly as it can be written: a file exports `references`, by the names of
 * ops.
 */
const files = import.meta.glob<{ references?: Readonly<Record<string, unknown>> }>(['./*.ts', '!./index.ts'], {
  eager: true,
});

export const REFERENCES: ReadonlyMap<string, Reference> = new Map(
  Object.values(files).flatMap(({ references = {} }) => Object.entries(references) as [string, Reference][]),
);
