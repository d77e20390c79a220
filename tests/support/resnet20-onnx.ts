import { OnnxGraph } from '../../bench/peers/onnx.ts';
import type { Checkpoint } from '../../src/formats/safetensors.ts';

/**
 * The ResNet-20 that ships, as an ONNX file: `image` [batch,3,32,32] to `logits` [batch,10]. Names of nodes are paths,
 * as PyTorch's exporter makes them.
 */
export async function resnet20Onnx({ tensors }: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const g = new OnnxGraph();
  const data = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    if (tensor.storedType !== 'F32') continue;
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of tensor.chunks()) chunks.push(new Uint8Array(chunk));
    data.set(name, new Float32Array(await new Blob(chunks).arrayBuffer()));
  }
  const weight = (name: string): string => g.constant(data.get(name)!, tensors.get(name)!.shape, name);
  const convolution = (x: string, path: string, conv: string, norm: string, stride: number): string => {
    const kernel = tensors.get(`${conv}.weight`)!.shape[2]!;
    const y = g.node(
      'Conv',
      [x, weight(`${conv}.weight`)],
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: new Array<number>(4).fill((kernel - 1) / 2) },
      `${path}/Conv`,
    );
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => weight(`${norm}.${part}`));
    return g.node('BatchNormalization', [y, ...parts], { epsilon: { float: 1e-5 } }, `${path}/BatchNormalization`);
  };
  const image = g.input('image', 'float32', ['batch', 3, 32, 32]);
  let x = g.node('Relu', [convolution(image, 'stem', 'conv1', 'bn1', 1)], {}, 'stem/Relu');
  for (let stage = 1; stage <= 3; stage++)
    for (let block = 0; block < 3; block++) {
      const [name, path] = [`layer${stage}.${block}`, `layer${stage}/${block}`];
      const stride = block === 0 && stage > 1 ? 2 : 1;
      let y = convolution(x, `${path}/conv1`, `${name}.conv1`, `${name}.bn1`, stride);
      y = convolution(
        g.node('Relu', [y], {}, `${path}/conv1/Relu`),
        `${path}/conv2`,
        `${name}.conv2`,
        `${name}.bn2`,
        1,
      );
      const projected = tensors.has(`${name}.downsample.0.weight`);
      const [conv, norm] = [`${name}.downsample.0`, `${name}.downsample.1`];
      const shortcut = projected ? convolution(x, `${path}/downsample`, conv, norm, stride) : x;
      x = g.node('Relu', [g.node('Add', [y, shortcut], {}, `${path}/Add`)], {}, `${path}/Relu`);
    }
  const pooled = g.node('Flatten', [g.node('GlobalAveragePool', [x])]);
  g.node('Gemm', [pooled, weight('fc.weight'), weight('fc.bias')], { transB: 1 }, 'logits');
  g.output('logits', 'float32', ['batch', 10]);
  return g.encode().model;
}
