import type { Caps } from '../gpu/gpu.ts';
import type { WgslModule } from '../gpu/wgsl.ts';

/** What conv2d_depthwise_rows depends on: along a row, and whether filter and pixels are float32 in whole vec4. */
export interface RowWindow {
  readonly width: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly left: number;
  readonly right: number;
  readonly lean: boolean;
}

/** Kernels that only GPUs need. They load apart (graph/groups/tiles.ts). */
export interface GpuKernels {
  readonly attentionJoin: WgslModule;
  readonly attentionTiled: WgslModule;
  /** The kernel and its constants, and the pixels of an invocation; undefined where their registers would not do. */
  depthwiseRows(
    window: RowWindow,
    caps: Caps,
  ): { kernel: WgslModule; pixels: number; constants: Record<string, string> } | undefined;
}

/** Empty until they are loaded. */
export const gpuKernels: Partial<GpuKernels> = {};
