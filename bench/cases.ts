import type { BenchDataType } from './report.ts';

export type PresetName = 'tiny' | 'quick' | 'full';
export const PRESETS: readonly PresetName[] = ['tiny', 'quick', 'full'];

export interface ConvLayer {
  /** Height and width of the input. */
  readonly size: number;
  readonly channels: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly groups: number;
}

const layer = (size: number, channels: number, out: number, window: number, stride = 1, groups = 1): ConvLayer => ({
  size,
  channels,
  out,
  window,
  stride,
  groups,
});

/** `3x3`, `7x7/2`, `3x3 depthwise`. */
export const layerName = ({ window, stride, groups }: ConvLayer): string =>
  `${window}x${window}${stride > 1 ? `/${stride}` : ''}${groups > 1 ? ' depthwise' : ''}`;

export interface Preset {
  /** M = N = K. */
  readonly matmul: readonly number[];
  readonly conv2d: readonly ConvLayer[];
  readonly dtypes: readonly BenchDataType[];
  /** Images that go in at once. */
  readonly batches: readonly number[];
  readonly modelDtypes: readonly BenchDataType[];
  /** Tokens that are decoded, and those of a prompt. */
  readonly tokens: number;
  readonly prompt: number;
  readonly batchMs: number;
  readonly rounds: readonly [least: number, most: number];
  readonly budgetMs: number;
}

/**
 * `quick` is what a software adapter does in two minutes, `full` is for GPUs, `tiny` only shows that everything works.
 * The layers are those of ResNet-18, ResNet-50 and MobileNet at 224x224.
 */
export const PRESET: Record<PresetName, Preset> = {
  tiny: {
    matmul: [32, 64, 128],
    conv2d: [layer(8, 16, 16, 3), layer(8, 32, 64, 1)],
    dtypes: ['float32', 'int8'],
    batches: [1],
    modelDtypes: ['float32'],
    tokens: 6,
    prompt: 16,
    batchMs: 2,
    rounds: [3, 3],
    budgetMs: 100,
  },
  quick: {
    matmul: [128, 256, 512],
    conv2d: [layer(56, 64, 64, 3), layer(14, 256, 256, 3), layer(28, 512, 128, 1)],
    dtypes: ['float32', 'float16', 'int8'],
    batches: [1],
    modelDtypes: ['float32', 'int8'],
    tokens: 48,
    prompt: 128,
    batchMs: 20,
    rounds: [5, 15],
    budgetMs: 1500,
  },
  full: {
    matmul: [128, 256, 512, 1024, 2048, 4096],
    conv2d: [
      layer(224, 3, 64, 7, 2),
      layer(56, 64, 64, 3),
      layer(28, 128, 128, 3),
      layer(14, 256, 256, 3),
      layer(7, 512, 512, 3),
      layer(56, 64, 256, 1),
      layer(28, 512, 128, 1),
      layer(56, 128, 128, 3, 1, 128),
    ],
    dtypes: ['float32', 'float16', 'int8'],
    batches: [1, 32],
    modelDtypes: ['float32', 'float16', 'int8'],
    tokens: 96,
    prompt: 128,
    batchMs: 20,
    rounds: [7, 25],
    budgetMs: 2000,
  },
};
