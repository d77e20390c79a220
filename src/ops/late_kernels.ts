import type { Caps } from '../gpu/gpu.ts';
import type { WgslModule } from '../gpu/wgsl.ts';
import type { DataType } from '../tensor/types.ts';
import type { Candidate } from './define.ts';
import type { Epilogue } from './epilogue.ts';
import type { Weights } from './weights.ts';
import type { slide, WindowOptions } from './window.ts';

/** A convolution of a channel at a time, in NHWC. */
export interface Depthwise {
  readonly images: number;
  readonly channels: number;
  /** Height and width. */
  readonly window: readonly [number, number];
  readonly out: ReturnType<typeof slide>;
  readonly options: WindowOptions;
  readonly dataType: DataType;
  readonly weights: Weights;
  readonly epilogue: Epilogue;
  readonly bind: Readonly<Record<string, string>>;
}

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

/** Kernels that only some adapters or graphs need. They load apart (graph/groups: tiles, software, depthwise). */
export interface LateKernels {
  readonly attentionGroup: WgslModule;
  readonly attentionJoin: WgslModule;
  depthwise(convolution: Depthwise, caps: Caps): Candidate[];
  readonly attentionTiled: WgslModule;
  /** The modules of attention_subgroups for so many queries a workgroup, and so many vec4 of a head an invocation. */
  attentionSubgroups(rows: 1 | 4, quads: number): { kernel: WgslModule; ports: readonly WgslModule[] };
  /** The kernel and its constants, and the pixels of an invocation; undefined where their registers would not do. */
  depthwiseRows(
    window: RowWindow,
    caps: Caps,
  ): { kernel: WgslModule; pixels: number; constants: Record<string, string> } | undefined;
}

/** Empty until they are loaded. */
export const lateKernels: Partial<LateKernels> = {};
