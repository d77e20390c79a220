import type { GraphModel, ImageClassifier } from '../../src/index.ts';
import { randomData } from '../graphs.ts';
import { callSampler, interleave, normwise } from '../measure.ts';
import { randomTensors, resnetShapes, safetensorsOf } from '../models.ts';
import { type OnnxTask, onnxTasks, onnxWork, runOnnx } from '../onnx-files.ts';
import { onnxResNet } from '../peers/onnx-models.ts';
import { type Case, type Context, type Measured, type Suite, timeCalls, withModel } from './case.ts';

/** ONNX files of packages, and a ResNet that comes as a checkpoint and as an ONNX file. */
export const onnx: Suite = async (context) => {
  const { preset, recorder } = context;
  const { tasks, notes } = await onnxTasks(preset.onnx, context.onnx);
  recorder.notes.push(...notes);
  const files = tasks.map(
    ({ name, shape, model, inputs }): Case => ({
      suite: 'onnx',
      name,
      shape,
      dtype: 'float32',
      run: () =>
        withModel(context, model, { dtype: 'float32' }, async (graph: GraphModel) => {
          const timed = await timeCalls(context, () => runOnnx(graph, inputs));
          return [{ timed, work: await onnxWork(graph) }];
        }),
    }),
  );
  const { image } = preset.load[1];
  return [
    ...files,
    {
      suite: 'onnx',
      name: 'resnet from ONNX',
      shape: `1x3x${image}x${image}`,
      dtype: 'float32',
      run: () => timeFormats(context),
    },
  ];
};

/** A ResNet with random weights from safetensors and from ONNX, interleaved: pixels to logits. */
async function timeFormats(context: Context): Promise<Measured[]> {
  const { preset, recorder } = context;
  const { engine, signal, quantum } = recorder;
  const [, size] = preset.load;
  const { image } = size;
  const tensors = randomTensors(resnetShapes(size));
  const pixels = randomData('float32', [1, 3, image, image], 1) as Float32Array<ArrayBuffer>;
  const load = { dtype: 'float32', signal } as const;
  using plain = (await engine.load(safetensorsOf(tensors), { ...load, inputSize: [image, image] })) as ImageClassifier;
  using graph = (await engine.load(onnxResNet(tensors, size).model, load)) as GraphModel;
  const inputs: OnnxTask['inputs'] = { image: { type: 'float32', dims: [1, 3, image, image], data: pixels } };
  const [expected, logits] = [await plain.logits(pixels), await runOnnx(graph, inputs)];
  const off = normwise(logits, expected);
  if (!(off <= 1e-4)) throw new Error(`the ResNet from ONNX is ${off.toExponential(1)} off (normwise)`);
  const sampler = async (run: () => Promise<unknown>) => {
    const next = await callSampler(run, quantum, signal);
    return async () => [await next()];
  };
  const samplers = new Map([
    ['resnet from safetensors', await sampler(() => plain.logits(pixels))],
    ['resnet from ONNX', await sampler(() => runOnnx(graph, inputs))],
  ]);
  const effort = { ...preset, patienceMs: Number.POSITIVE_INFINITY };
  const both = await recorder.time(async () =>
    Array.from((await interleave(samplers, effort)).values(), ([samples]) => samples!),
  );
  const work = await onnxWork(graph);
  return both.map((each, i) => ({ name: [...samplers.keys()][i]!, timed: each, work }));
}
