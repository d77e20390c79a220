import type { OpCase } from './case.ts';
import { attentions } from './cases/attention.ts';
import { convolutions } from './cases/conv2d.ts';
import { elementwises } from './cases/elementwise.ts';
import { lines } from './cases/lines.ts';
import { matmuls } from './cases/matmul.ts';
import { movements } from './cases/movement.ts';
import { samples } from './cases/sample.ts';

/** Every case of every op: what the kernels are tested with, on every adapter. */
export const CASES: readonly OpCase[] = [
  ...matmuls,
  ...convolutions,
  ...lines,
  ...attentions,
  ...elementwises,
  ...movements,
  ...samples,
];
