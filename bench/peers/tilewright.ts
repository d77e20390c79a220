import { version } from '../../package.json';
import { loadingOps } from '../../src/graph/groups/index.ts';
import {
  Engine,
  type Graph,
  type GraphModel,
  type ImageClassifier,
  type TensorData,
  type TextGenerator,
} from '../../src/index.ts';
import { attentionGraph, convGraph, matmulGraph, modelWork, workOf } from '../graphs.ts';
import { vocabularyOf } from '../models.ts';
import { onnxWork, runOnnx } from '../onnx-files.ts';
import type { Competitor, Contender } from './contender.ts';

/** Ourselves, by the public API. */
export async function openTilewright(engine?: Engine): Promise<Competitor & { readonly gpu: Engine }> {
  const gpu = engine ?? (await Engine.create());

  async function op(make: () => Graph, inputs: Readonly<Record<string, TensorData>>): Promise<Contender> {
    const session = await gpu.build(await loadingOps(make));
    for (const [name, data] of Object.entries(inputs)) session.write(name, data);
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          const encoder = gpu.device.createCommandEncoder();
          session.encode(encoder);
          gpu.gpu.submit(encoder);
        }
        await gpu.gpu.guard(gpu.device.queue.onSubmittedWorkDone());
        gpu.gpu.check();
      },
      result: async () => (await session.run({}))['output'] as Float32Array,
      work: workOf(session.plan.steps),
      dispose: () => session.dispose(),
    };
  }

  return {
    engine: 'tilewright',
    version,
    gpu,
    matmul: ({ m, k, n, input, weights }) => op(() => matmulGraph(gpu, [m, k, n], 'float32', weights), { input }),
    conv2d: ({ layer, input, weights }) => op(() => convGraph(gpu, layer, 'float32', weights), { input }),
    attention: ({ query, key, value, ...shape }) =>
      op(() => attentionGraph(gpu, shape, 'float32'), { query, key, value }),
    async resnet({ safetensors, size, pixels }) {
      const inputSize: [number, number] = [size.image, size.image];
      const model = (await gpu.load(safetensors, { inputSize })) as ImageClassifier;
      let logits = new Float32Array();
      return {
        async run(count) {
          for (let i = 0; i < count; i++) logits = (await model.logits(pixels)) as Float32Array<ArrayBuffer>;
        },
        result: async () => logits,
        work: await modelWork(model, model.graph()),
        dispose: () => model.dispose(),
      };
    },
    async onnx({ model: bytes, inputs }) {
      const model = (await gpu.load(bytes)) as GraphModel;
      let outputs = await runOnnx(model, inputs);
      return {
        async run(count) {
          for (let i = 0; i < count; i++) outputs = await runOnnx(model, inputs);
        },
        result: async () => outputs,
        work: await onnxWork(model),
        dispose: () => model.dispose(),
      };
    },
    async text({ folder, size, prompt }) {
      const model = (await gpu.load(folder)) as TextGenerator;
      return {
        logits: async (tokens) => (await model.logits(tokens)).subarray(-vocabularyOf(size)),
        async *write(prompt, count) {
          for await (const { token } of model.generate(prompt, {
            maxNewTokens: count,
            temperature: 0,
            stopTokens: [],
            promptCache: false,
          }))
            yield token;
        },
        work: [await modelWork(model, model.graph(prompt, 'last')), await modelWork(model, model.graph(1, 'last'))],
        dispose: () => model.dispose(),
      };
    },
    close: () => {
      if (!engine) gpu.dispose();
    },
  };
}
