import type { OpCase } from '../case.ts';
import { attentions } from './attention.ts';
import { convolutions } from './conv2d.ts';
import { elementwises } from './elementwise.ts';
import { integers } from './integer.ts';
import { lines } from './lines.ts';
import { matmuls } from './matmul.ts';
import { movements } from './movement.ts';
import { samples } from './sample.ts';

/** Every case of every op: what the kernels are tested with, on every adapter. */
export const CASES: readonly OpCase[] = [
  ...matmuls,
  ...convolutions,
  ...lines,
  ...attentions,
  ...elementwises,
  ...movements,
  ...samples,
  ...integers,
];
