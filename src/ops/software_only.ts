import attentionSubgroups from '../../shaders/attention_subgroups.wgsl';
import headQuads from '../../shaders/lib/head_quads.wgsl';
import queryRows from '../../shaders/lib/query_rows.wgsl';
import { part } from '../gpu/wgsl.ts';
import type { LateKernels } from './late_kernels.ts';

export const kernels: Pick<LateKernels, 'attentionSubgroups'> = {
  attentionSubgroups: (rows, quads) => ({
    kernel: attentionSubgroups,
    ports: [part(queryRows, `${rows}`), part(headQuads, `${quads}`)],
  }),
};
