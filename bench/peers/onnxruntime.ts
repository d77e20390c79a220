import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { requestAdapter, requestDevice } from '../../src/gpu/adapter.ts';
import { flat, type OnnxTask } from '../onnx-files.ts';
import type { Competitor, Contender } from './contender.ts';
import type { OnnxModel } from './onnx.ts';
import { onnxAttention, onnxConv2d, onnxMatmul } from './onnx-models.ts';
import { addressOf, IN_NODE, importFile } from './packages.ts';
import { permute } from './permute.ts';

type Ort = typeof import('onnxruntime-web');
type Provider = 'webgpu' | 'wasm';

/** Threads of the wasm provider where the page is isolated: those of the machine that the bench is published for. */
const THREADS = 2;

/** onnxruntime-web from its `dist` folder. Each provider has a build of its own, and so a module of its own. */
export async function openOnnxRuntime(dist: string, provider: Provider): Promise<Competitor> {
  const ort = await importOrt(dist, provider);
  const onGpu = provider === 'webgpu';

  const create = ({ model, externalData }: OnnxModel, options: InferenceSession.SessionOptions = {}) =>
    ort.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      externalData: [...externalData],
      ...options,
    });

  const feedsOf = (inputs: OnnxTask['inputs']): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { type, dims, data }]) => [name, new ort.Tensor(type, data as never, dims)]),
    );

  /** Inputs lie on the device before a run, as the output does after it. */
  async function op(
    model: OnnxModel,
    inputs: Readonly<Record<string, [Float32Array<ArrayBuffer>, readonly number[]]>>,
  ): Promise<Contender> {
    const session = await create(model, onGpu ? { preferredOutputLocation: 'gpu-buffer' } : {});
    const device = onGpu ? await ort.env.webgpu.device : undefined;
    const place = device
      ? (data: Float32Array<ArrayBuffer>, shape: readonly number[]) => toGpu(ort, device, data, shape)
      : undefined;
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, [data, shape]]) => [
        name,
        place?.(data, shape) ?? new ort.Tensor('float32', data, shape),
      ]),
    );
    let output: Tensor | undefined;
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          output?.dispose();
          ({ output } = await session.run(feeds));
        }
        await device?.queue.onSubmittedWorkDone();
      },
      result: async () => (await output!.getData()) as Float32Array,
      async dispose() {
        output?.dispose();
        for (const feed of Object.values(feeds)) if (device) (feed.gpuBuffer as GPUBuffer).destroy();
        await session.release();
      },
    };
  }

  return {
    engine: onGpu ? 'onnxruntime-web' : 'onnxruntime-web-wasm',
    version: ort.env.versions.web ?? ort.env.versions.common,
    matmul: ({ m, k, n, input, weights }) => op(onnxMatmul(m, k, n, weights), { input: [input, [m, k]] }),
    async conv2d({ layer, input, weights }) {
      const { size, channels, out, window, groups } = layer;
      const filter = permute(weights, [window, window, channels / groups, out], [3, 2, 0, 1]);
      const image = permute(input, [1, size, size, channels], [0, 3, 1, 2]);
      const conv = await op(onnxConv2d(layer, filter), { input: [image, [1, channels, size, size]] });
      const side = size / layer.stride;
      return { ...conv, result: async () => permute(await conv.result(), [1, out, side, side], [0, 2, 3, 1]) };
    },
    attention: ({ queries, keys, heads, width, query, key, value }) =>
      op(onnxAttention(queries, keys, heads, width), {
        query: [query, [1, queries, width]],
        key: [key, [1, keys, width]],
        value: [value, [1, keys, width]],
      }),
    async resnet({ onnx, size, pixels }) {
      const session = await create(onnx);
      const image = new ort.Tensor('float32', pixels, [1, 3, size.image, size.image]);
      let logits = new Float32Array();
      return {
        async run(count) {
          for (let i = 0; i < count; i++)
            logits = (await session.run({ image }))['logits']!.data as Float32Array<ArrayBuffer>;
        },
        result: async () => logits,
        dispose: () => session.release(),
      };
    },
    async onnx({ model, inputs }) {
      const session = await create({ model, externalData: [] });
      const feeds = feedsOf(inputs);
      let outputs: InferenceSession.ReturnType = {};
      return {
        async run(count) {
          for (let i = 0; i < count; i++) outputs = await session.run(feeds);
        },
        result: async () => flat(session.outputNames.map((name) => outputs[name]!.data as Float32Array)),
        dispose: () => session.release(),
      };
    },
    async text({ onnx }) {
      const { past, present, heads, headSize } = onnx;
      const locations = Object.fromEntries(present.map((name) => [name, 'gpu-buffer' as const]));
      const device = onGpu ? await deviceOfSmallSubgroups() : undefined;
      const session = await create(onnx, {
        ...(onGpu && { preferredOutputLocation: { ...locations, logits: 'cpu' } }),
        ...(device && { executionProviders: [{ name: 'webgpu', device }] }),
      });
      const empty = new ort.Tensor('float32', new Float32Array(), [1, heads, 0, headSize]);

      /** Puts tokens behind those of the cache. Gives the logits after the last; the cache is the new one then. */
      const extend = async (
        tokens: readonly number[],
        cache: { length: number; tensors: Tensor[] },
      ): Promise<Float32Array> => {
        const outputs = await session.run({
          ...feedsOf(onnx.inputs(tokens, cache.length)),
          ...Object.fromEntries(past.map((name, i) => [name, cache.tensors[i] ?? empty])),
        });
        for (const tensor of cache.tensors) tensor.dispose();
        cache.tensors = present.map((name) => outputs[name]!);
        cache.length += tokens.length;
        return outputs['logits']!.data as Float32Array;
      };
      const withCache = () => {
        const cache: { length: number; tensors: Tensor[] } = { length: 0, tensors: [] };
        return {
          cache,
          [Symbol.dispose]: () => {
            for (const tensor of cache.tensors) tensor.dispose();
          },
        };
      };
      return {
        async logits(tokens) {
          using fresh = withCache();
          return await extend(tokens, fresh.cache);
        },
        async *write(prompt, count) {
          using fresh = withCache();
          let tokens = prompt;
          for (let i = 0; i < count; i++) {
            const token = likeliest(await extend(tokens, fresh.cache));
            yield token;
            tokens = [token];
          }
        },
        async dispose() {
          await session.release();
          device?.destroy();
        },
      };
    },
    close: () => {},
  };
}

/** Lanes that onnxruntime-web's kernels by subgroups take at least. */
const LEAST_LANES = 8;

/**
 * GroupQueryAttention of onnxruntime-web 1.30 is wrong from 32 queries on where a subgroup has 4 lanes, as on SwiftShader (logits 0.85
 * off, normwise; 2026-11-30). There a decoder gets a device without subgroups, for which it has other kernels that are right; elsewhere
 * it makes its own.
 */
async function deviceOfSmallSubgroups(): Promise<GPUDevice | undefined> {
  const adapter = await requestAdapter();
  const { subgroupMinSize = LEAST_LANES } = adapter.info;
  return subgroupMinSize < LEAST_LANES ? requestDevice(adapter, { without: ['subgroups'] }) : undefined;
}

async function importOrt(dist: string, provider: Provider): Promise<Ort> {
  const file = provider === 'webgpu' ? 'ort.webgpu.min.mjs' : IN_NODE ? 'ort.node.min.mjs' : 'ort.wasm.min.mjs';
  const ort = await importFile<Ort>(dist, file);
  ort.env.logLevel = 'error';
  const threads = IN_NODE ? provider === 'wasm' : globalThis.crossOriginIsolated;
  ort.env.wasm.numThreads = threads ? THREADS : 1;
  if (provider === 'webgpu' && IN_NODE) {
    // This build is for browsers: it would fetch the file.
    const { readFile } = await import(/* @vite-ignore */ 'node:fs/promises');
    ort.env.wasm.wasmBinary = await readFile(new URL(await addressOf(dist, 'ort-wasm-simd-threaded.asyncify.wasm')));
    acceptSharedMemory();
  }
  return ort;
}

/** onnxruntime-web uploads from its wasm memory, which is shared: npm `webgpu` refuses that, so it gets a copy. */
function acceptSharedMemory(): void {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, start = 0, size) {
    const view = ArrayBuffer.isView(data) ? (data as Uint8Array) : new Uint8Array(data);
    if (!(view.buffer instanceof SharedArrayBuffer))
      return writeBuffer.call(this, buffer, offset, data as ArrayBuffer, start, size);
    const unit = view.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(
      view.buffer,
      view.byteOffset + start * unit,
      size === undefined ? view.byteLength - start * unit : size * unit,
    );
    return writeBuffer.call(this, buffer, offset, bytes.slice());
  };
}

function toGpu(ort: Ort, device: GPUDevice, data: Float32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
