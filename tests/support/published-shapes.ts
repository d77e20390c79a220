import type { Checkpoint, CheckpointTensor } from '../../src/formats/safetensors.ts';
import { elementCount } from '../../src/tensor/types.ts';

/** A checkpoint of pseudo-random numbers: what matters here is how the engine runs it, not what comes out. */
function randomCheckpoint(shapes: Record<string, number[]>): Checkpoint {
  const tensors = Object.entries(shapes).map(([name, shape], order): [string, CheckpointTensor] => [
    name,
    {
      name,
      storedType: 'F32',
      typeName: 'F32',
      shape,
      order,
      file: 'random',
      byteLength: 4 * elementCount(shape),
      async *chunks() {
        const scale = name.endsWith('var') ? 0 : 2 / Math.sqrt(elementCount(shape.slice(1)));
        const values = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
          scale ? Math.sin(i * 1.7 + order) * scale : 1,
        );
        yield new Uint8Array(values.buffer);
      },
    },
  ]); // prettier-ignore
  const map = new Map(tensors);
  return {
    tensors: map,
    metadata: new Map(),
    byteLength: tensors.reduce((sum, [, { byteLength }]) => sum + byteLength, 0),
  };
}

/** A ResNet-18 under torchvision's names. */
export function resnet18(): Checkpoint {
  const shapes: Record<string, number[]> = {};
  const norm = (name: string, channels: number): void => {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) shapes[`${name}.${part}`] = [channels];
  };
  const convolution = (conv: string, bn: string, out: number, channels: number, kernel: number): void => {
    shapes[`${conv}.weight`] = [out, channels, kernel, kernel];
    norm(bn, out);
  };
  convolution('conv1', 'bn1', 64, 3, 7);
  [64, 128, 256, 512].forEach((width, s) => {
    for (let b = 0; b < 2; b++) {
      const name = `layer${s + 1}.${b}`;
      const channels = b === 0 && s > 0 ? width / 2 : width;
      convolution(`${name}.conv1`, `${name}.bn1`, width, channels, 3);
      convolution(`${name}.conv2`, `${name}.bn2`, width, width, 3);
      if (channels !== width) convolution(`${name}.downsample.0`, `${name}.downsample.1`, width, channels, 1);
    }
  });
  shapes['fc.weight'] = [1000, 512];
  shapes['fc.bias'] = [1000];
  return randomCheckpoint(shapes);
}

/** A GPT-2 of 124 M parameters under the published names. */
export function gpt2(): Checkpoint {
  const [width, vocabulary, context] = [768, 50257, 1024];
  const shapes: Record<string, number[]> = { 'wte.weight': [vocabulary, width], 'wpe.weight': [context, width] };
  const norm = (name: string): void => {
    for (const part of ['weight', 'bias']) shapes[`${name}.${part}`] = [width];
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    shapes[`${name}.weight`] = [inputs, outputs];
    shapes[`${name}.bias`] = [outputs];
  };
  for (let layer = 0; layer < 12; layer++) {
    const name = `h.${layer}`;
    norm(`${name}.ln_1`);
    linear(`${name}.attn.c_attn`, width, 3 * width);
    linear(`${name}.attn.c_proj`, width, width);
    norm(`${name}.ln_2`);
    linear(`${name}.mlp.c_fc`, width, 4 * width);
    linear(`${name}.mlp.c_proj`, 4 * width, width);
  }
  norm('ln_f');
  return randomCheckpoint(shapes);
}
