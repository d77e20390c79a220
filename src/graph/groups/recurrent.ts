import * as recurrent from '../../ops/groups/recurrent.ts';
import * as movement from './movement.ts';
import * as select from './select.ts';

/** Weights are brought into the order of the kernel by other ops. */
export const ops: typeof movement.ops & typeof select.ops & typeof recurrent = {
  ...movement.ops,
  ...select.ops,
  ...recurrent,
};

export const passes = movement.passes;
