import type { ResNetSize, Tensors } from '../models.ts';

/** A convolution with the normalisation after it folded in. */
export interface FoldedConv {
  /** [O,I,H,W] */
  readonly filter: Float32Array<ArrayBuffer>;
  readonly shape: readonly [out: number, channels: number, window: number, window: number];
  readonly bias: Float32Array<ArrayBuffer>;
  readonly stride: number;
}

/** Layers one after another, and what is added to their result: the block's input where there is no shortcut. */
export interface Block<Layer> {
  readonly layers: readonly Layer[];
  readonly shortcut: Layer | undefined;
}

/** The convolutions of a ResNet as a converter leaves them, each made a layer by `make`. */
export function foldedResNet<Layer>(
  tensors: Tensors,
  { blocks, bottleneck }: ResNetSize,
  make: (conv: FoldedConv) => Layer,
): { readonly stem: Layer; readonly blocks: readonly Block<Layer>[] } {
  const data = (name: string): Float32Array => tensors.get(name)!.data;
  const layer = (conv: string, norm: string, stride: number): Layer => {
    const shape = tensors.get(`${conv}.weight`)!.shape as FoldedConv['shape'];
    const size = shape[1] * shape[2] * shape[3];
    const factor = data(`${norm}.weight`).map((scale, i) => scale / Math.sqrt(data(`${norm}.running_var`)[i]! + 1e-5));
    const bias = data(`${norm}.bias`).map((bias, i) => bias - data(`${norm}.running_mean`)[i]! * factor[i]!);
    const filter = data(`${conv}.weight`).map((value, i) => value * factor[Math.floor(i / size)]!);
    return make({ filter, shape, bias, stride });
  };
  return {
    stem: layer('conv1', 'bn1', 2),
    blocks: blocks.flatMap((count, stage) =>
      Array.from({ length: count }, (_, block) => {
        const name = `layer${stage + 1}.${block}`;
        const stride = block === 0 && stage > 0 ? 2 : 1;
        const strided = bottleneck ? 1 : 0;
        const layers = Array.from({ length: bottleneck ? 3 : 2 }, (_, i) =>
          layer(`${name}.conv${i + 1}`, `${name}.bn${i + 1}`, i === strided ? stride : 1),
        );
        const projected = tensors.has(`${name}.downsample.0.weight`);
        return {
          layers,
          shortcut: projected ? layer(`${name}.downsample.0`, `${name}.downsample.1`, stride) : undefined,
        };
      }),
    ),
  };
}
