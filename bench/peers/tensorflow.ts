import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Competitor, Contender } from './contender.ts';
import { IN_NODE, importFile, type PeerFolders } from './packages.ts';

type Backend = Tfjs.KernelBackend & { queue: GPUQueue; endComputePassEncoder(): void; submitQueue(): void };
type BackendModule = { WebGPUBackend: new (device: GPUDevice, info?: GPUAdapterInfo) => Backend };

/** TensorFlow.js with its WebGPU backend, from the `dist` folders of its packages. */
export async function openTensorFlow([core, webgpu]: PeerFolders['tensorflow']): Promise<Competitor> {
  const { tf, WebGPUBackend } = await importTensorFlow(core, webgpu);
  const backend = await useBackend(tf, WebGPUBackend);

  function op(inputs: Readonly<Record<string, Tfjs.Tensor>>, compute: () => Tfjs.Tensor): Contender {
    let output: Tfjs.Tensor | undefined;
    return {
      async run() {
        output?.dispose();
        output = tf.tidy(compute);
        backend.endComputePassEncoder();
        backend.submitQueue();
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
    close: () => backend.dispose(),
  };
}

/** Scripts that put themselves into `tf` in a page, CommonJS in Node. */
async function importTensorFlow(core: string, webgpu: string): Promise<{ tf: typeof Tfjs } & BackendModule> {
  if (IN_NODE) {
    const { default: tf } = await importFile<{ default: typeof Tfjs }>(core, 'tf-core.node.js');
    const { default: backend } = await importFile<{ default: BackendModule }>(webgpu, 'tf-backend-webgpu.node.js');
    return { tf, WebGPUBackend: backend.WebGPUBackend };
  }
  await importFile(core, 'tf-core.min.js');
  await importFile(webgpu, 'tf-backend-webgpu.min.js');
  const { tf } = globalThis as unknown as { tf: typeof Tfjs & BackendModule };
  return { tf, WebGPUBackend: tf.WebGPUBackend };
}

/** Registers the backend on a device of its own, with all that the adapter gives: it would do so by itself in a page only. */
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
