import type { OpCase } from '../case.ts';

/** Every case of every op, what the kernels are tested with on every adapter: a file exports `cases`. */
const files = import.meta.glob<{ cases: readonly OpCase[] }>(['./*.ts', '!./index.ts'], { eager: true });

export const CASES: readonly OpCase[] = Object.values(files).flatMap(({ cases }) => cases);
