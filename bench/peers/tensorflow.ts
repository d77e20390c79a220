import type * as Tfjs from '@tensorflow/tfjs-core';
import type { ResNetSize, Tensors } from '../models.ts';
import type { Competitor, Contender } from './contender.ts';
import { IN_NODE, importFile, type PeerFolders } from './packages.ts';
import { permute } from './permute.ts';
import { foldedResNet } from './resnet.ts';

type Backend = Tfjs.KernelBackend & {
  queue: GPUQueue;
  commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
};
type BackendModule = { WebGPUBackend: new (device: GPUDevice, info?: GPUAdapterInfo) => Backend };

/** TensorFlow.js with its WebGPU backend, from the `dist` folders of its packages. */
export async function openTensorFlow([core, webgpu]: PeerFolders['tensorflow']): Promise<Competitor> {
  const { tf, WebGPUBackend } = await importTensorFlow(core, webgpu);
  const backend = await useBackend(tf, WebGPUBackend);

  function op(inputs: Readonly<Record<string, Tfjs.Tensor>>, compute: () => Tfjs.Tensor): Contender {
    let output: Tfjs.Tensor | undefined;
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          output?.dispose();
          output = tf.tidy(compute);
        }
        backend.endComputePassEncoder();
        if (backend.commandEncoder) backend.submitQueue(); // every so many dispatches it did so by itself
        await backend.queue.onSubmittedWorkDone();
      },
      result: async () => (await output!.data()) as Float32Array,
      dispose() {
        output?.dispose();
        tf.dispose(Object.values(inputs));
      },
    };
  }

  return {
    engine: 'tensorflow.js',
    version: tf.version_core,
    async matmul({ m, k, n, input, weights }) {
      const inputs = { x: tf.tensor2d(input, [m, k]), w: tf.tensor2d(weights, [k, n]) };
      return op(inputs, () => tf.matMul(inputs.x, inputs.w));
    },
    async conv2d({ layer: { size, channels, out, window, stride, groups }, input, weights }) {
      const x = tf.tensor4d(input, [1, size, size, channels]);
      const padding = (window - 1) / 2;
      if (groups === 1) {
        const w = tf.tensor4d(weights, [window, window, channels, out]);
        return op({ x, w }, () => tf.conv2d(x, w, stride, padding));
      }
      const w = tf.tensor4d(weights, [window, window, channels, out / channels]);
      return op({ x, w }, () => tf.depthwiseConv2d(x, w, stride, padding));
    },
    async resnet({ tensors, size, pixels }) {
      const { weights, forward } = resnet(tf, tensors, size);
      const shape: [number, number, number, number] = [1, size.image, size.image, 3];
      const image = permute(pixels, [1, 3, size.image, size.image], [0, 2, 3, 1]);
      let logits = new Float32Array();
      return {
        async run(count) {
          for (let i = 0; i < count; i++) {
            const output = tf.tidy(() => forward(tf.tensor4d(image, shape)));
            logits = (await output.data()) as Float32Array<ArrayBuffer>;
            output.dispose();
          }
        },
        result: async () => logits,
        dispose: () => tf.dispose(weights),
      };
    },
    close: () => backend.dispose(),
  };
}

/** A ResNet as TensorFlow.js's converter leaves one: normalisation folded into convolutions, activations fused with them. */
function resnet(tf: typeof Tfjs, tensors: Tensors, size: ResNetSize) {
  const weights: Tfjs.Tensor[] = [];
  const keep = <T extends Tfjs.Tensor>(tensor: T): T => {
    weights.push(tensor);
    return tensor;
  };
  type Layer = (x: Tfjs.Tensor4D, activation: 'relu' | 'linear') => Tfjs.Tensor4D;
  const { stem, blocks } = foldedResNet<Layer>(tensors, size, ({ filter: oihw, shape, bias: shift, stride }) => {
    const [out, channels, window] = shape;
    const filter = keep(tf.tensor4d(permute(oihw, shape, [2, 3, 1, 0]), [window, window, channels, out]));
    const bias = keep(tf.tensor1d(shift));
    return (x, activation) => tf.fused.conv2d({ x, filter, strides: stride, pad: (window - 1) / 2, bias, activation });
  });
  const { data, shape } = tensors.get('fc.weight')!;
  const head = keep(tf.tensor2d(data, shape as [number, number]));
  const bias = keep(tf.tensor1d(tensors.get('fc.bias')!.data));
  const forward = (image: Tfjs.Tensor4D): Tfjs.Tensor => {
    let x = tf.maxPool(stem(image, 'relu'), 3, 2, 1);
    for (const { layers, shortcut } of blocks) {
      const y = layers.reduce((y, layer, i) => layer(y, i < layers.length - 1 ? 'relu' : 'linear'), x);
      x = tf.relu(tf.add(y, shortcut ? shortcut(x, 'linear') : x));
    }
    return tf.fused.matMul({ a: tf.mean(x, [1, 2]), b: head, transposeB: true, bias });
  };
  return { weights, forward };
}

/** Scripts that put themselves into `tf` in a page, CommonJS in Node. */
async function importTensorFlow(core: string, webgpu: string): Promise<{ tf: typeof Tfjs } & BackendModule> {
  if (IN_NODE) {
    const { createRequire } = await import(/* @vite-ignore */ 'node:module');
    const require = createRequire(import.meta.url);
    const tf = require(`${core}/tf-core.node.js`) as typeof Tfjs;
    return { tf, ...(require(`${webgpu}/tf-backend-webgpu.node.js`) as BackendModule) };
  }
  await importFile(core, 'tf-core.min.js');
  await importFile(webgpu, 'tf-backend-webgpu.min.js');
  const { tf } = globalThis as unknown as { tf: typeof Tfjs & BackendModule };
  return { tf, WebGPUBackend: tf.WebGPUBackend };
}

/**
 * Registers the backend on a device of its own, with all that the adapter gives: it would do so by itself in a page
 * only.
 */
async function useBackend(tf: typeof Tfjs, WebGPUBackend: BackendModule['WebGPUBackend']): Promise<Backend> {
  const adapter = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))!;
  const { limits } = adapter;
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  });
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  await tf.setBackend('webgpu');
  await tf.ready();
  return tf.backend() as Backend;
}
