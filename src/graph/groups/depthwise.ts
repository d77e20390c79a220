import { depthwiseCandidates } from '../../ops/depthwise.ts';

/** No op, but kernels of convolutions of a channel at a time. */
export const kernels = { depthwise: depthwiseCandidates };
