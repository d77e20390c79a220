import attentionGroup from '../../shaders/attention_group.wgsl';
import attentionJoin from '../../shaders/attention_join.wgsl';
import attentionTiled from '../../shaders/attention_tiled.wgsl';
import depthwiseRows from '../../shaders/conv2d_depthwise_rows.wgsl';
import { u32 } from '../gpu/wgsl.ts';
import type { LateKernels } from './late_kernels.ts';

export const kernels: Omit<LateKernels, 'attentionSubgroups' | 'depthwise'> = {
  attentionGroup,
  attentionJoin,
  attentionTiled,
  depthwiseRows({ width, kernel, stride, dilation, left, right, lean }, { manyRegisters }) {
    // Pixels whose sums an invocation has registers for, beside what they see of a row and a row of the filter.
    const most = manyRegisters || (kernel <= 3 && lean) ? 4 : kernel <= 3 ? 3 : 2;
    const pixels = Math.min(most, width);
    if ((pixels - 1) * stride + (kernel - 1) * dilation >= (manyRegisters ? 16 : 9)) return undefined;
    const constants = {
      PIXELS: u32(pixels),
      KERNEL_W: u32(kernel),
      STRIDE_W: u32(stride),
      DILATION_W: u32(dilation),
      LEFT: u32(left),
      RIGHT: u32(right),
    };
    return { kernel: depthwiseRows, pixels, constants };
  },
};
