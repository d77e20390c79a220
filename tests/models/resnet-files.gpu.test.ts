import { describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/models/model.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { folderOf, handResnet, shifts, type Values } from '../support/checkpoint.ts';
import { testEngine } from '../support/engine.ts';

const ZERO = new Float32Array(3 * 8 * 8);
const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const tiny = handResnet([-0.5, 1.5, 2], [0.25, -2, 0.5], { weight: identity, bias: [0, 0, 0] });

async function load(
  tensors: Readonly<Record<string, Values>>,
  config?: object,
  options: LoadOptions = {},
): Promise<ImageClassifier> {
  const files = folderOf(tensors, config && { 'config.json': config });
  const model = await (await testEngine()).load(files, { inputSize: [8, 8], ...options });
  return model as ImageClassifier;
}

async function logitsOf(...args: Parameters<typeof load>): Promise<number[]> {
  using model = await load(...args);
  return [...(await model.logits(ZERO))];
}

const near = (values: readonly number[], digits = 4) => values.map((value) => expect.closeTo(value, digits));

describe('bug 6: problem_type', () => {
  const logits = [-5.133, 6.486, -4.336, 0.687, 0.512];
  const model = handResnet([1], [1], { weight: [0, 0, 0, 0, 0], bias: logits });

  it('multi-label classifiers give each label a probability of its own', async () => {
    using classifier = await load(model, { problem_type: 'multi_label_classification' });
    const picture = { width: 8, height: 8, data: new Uint8Array(256) };
    const found = await classifier.classify(picture);
    const byIndex = found.sort((a, b) => a.index - b.index).map(({ probability }) => probability);
    expect(byIndex).toEqual(near([0.0059, 0.9985, 0.0129, 0.6653, 0.6253], 3));
  });

  it('single-label classifiers, said or not, share one', async () => {
    for (const config of [{}, { problem_type: 'single_label_classification' }, { problem_type: null }]) {
      using classifier = await load(model, config);
      const total = classifier
        .rank(Float32Array.from(logits), 5)
        .reduce((sum, { probability }) => sum + probability, 0);
      expect(total).toBeCloseTo(1, 5);
    }
  });

  it('refuses regression', async () => {
    const failure = { code: 'unsupported-option', message: expect.stringContaining('problem_type') };
    await expect(load(model, { problem_type: 'regression' })).rejects.toMatchObject(failure);
  });
});

/** Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const tanhGelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

describe('bug 7: hidden_act', () => {
  const functions: Record<string, (x: number) => number> = {
    relu: (x) => Math.max(x, 0),
    gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    gelu_new: tanhGelu,
    gelu_pytorch_tanh: tanhGelu,
    silu: (x) => x * sigmoid(x),
    swish: (x) => x * sigmoid(x),
    quick_gelu: (x) => x * sigmoid(1.702 * x),
    leaky_relu: (x) => (x < 0 ? 0.01 * x : x),
    mish: (x) => x * Math.tanh(Math.log(1 + Math.exp(x))),
    relu2: (x) => Math.max(x, 0) ** 2,
    relu6: (x) => Math.min(Math.max(x, 0), 6),
    sigmoid,
    tanh: Math.tanh,
    linear: (x) => x,
  };

  it.each(Object.keys(functions))('%s', async (name) => {
    const act = functions[name]!;
    const expected = [-0.5, 1.5, 2].map((s, c) => act([0.25, -2, 0.5][c]! + act(s)));
    expect(await logitsOf(tiny, { model_type: 'resnet', hidden_act: name })).toEqual(near(expected));
  });

  it('refuses what is not known by name', async () => {
    const failure = { code: 'unsupported-option', message: expect.stringContaining('hidden_act') };
    await expect(load(tiny, { model_type: 'resnet', hidden_act: 'xielu' })).rejects.toMatchObject(failure);
  });
});

describe('bug 8: architectures by list, and tensors that no layer takes', () => {
  it.each([
    'resnetrs50',
    'resnetv2_50',
    'resnet50d',
    'resnet26t',
    'resnet50_gn',
    'resnetblur50',
    'resnet51q',
    'seresnet152d',
    'ecaresnet50t',
    'resnest50d',
    'resnet_v2',
  ])('refuses %s', async (architecture) => {
    const failure = { code: 'unknown-architecture', message: expect.stringContaining(architecture) };
    await expect(load(tiny, { architecture })).rejects.toMatchObject(failure);
  });

  it.each(['resnet18', 'resnet152', 'resnet20_cifar', 'resnet56', 'wide_resnet50_2', 'resnext101_32x8d', 'seresnet50'])(
    'takes %s',
    async (architecture) => {
      using model = await load(tiny, { architecture });
      expect(model.task).toBe('image-classification');
    },
  );

  it.each([
    ['layer1.0.attn.fc.weight'],
    ['layer1.1.conv2.weight'],
    ['layer1.0.shortcut.0.weight'],
    ['head_drop.weight'],
  ])('names %s, unless the caller allows it', async (name) => {
    const more = { ...tiny, [name]: [[3, 3, 1, 1], 1] as Values };
    const failure = { code: 'unused-tensor', message: expect.stringContaining(name) };
    await expect(load(more)).rejects.toMatchObject(failure);
    using model = await load(more, undefined, { allowUnused: true });
    expect(await model.logits(ZERO)).toHaveLength(3);
  });

  it('refuses a gate without its second layer', async () => {
    const half = { ...tiny, 'layer1.0.se.fc1.weight': [[1, 3, 1, 1], 1] as Values };
    await expect(load(half)).rejects.toMatchObject({ code: 'missing-tensor' });
  });

  it('lets running counts pass', async () => {
    const counted = { ...tiny, 'bn1.num_batches_tracked': [[], [7]] as Values };
    expect(await logitsOf(counted)).toEqual(near([0.25, 0, 2.5]));
  });

  it('computes squeeze and excitation where the tensors are there', async () => {
    const gate: Record<string, Values> = {
      'layer1.0.se.fc1.weight': [
        [2, 3, 1, 1],
        [1, 0, 1, 0, -1, 0],
      ],
      'layer1.0.se.fc1.bias': [[2], [0.5, 1]],
      'layer1.0.se.fc2.weight': [
        [3, 2, 1, 1],
        [1, 0, 0, 1, 0.5, -0.5],
      ],
      'layer1.0.se.fc2.bias': [[3], [0, 0.25, -1]],
    };
    const [p, q] = [0.25 + 0.5 + 0.5, 2 + 1];
    const gates = [p, q + 0.25, 0.5 * p - 0.5 * q - 1].map(sigmoid);
    const expected = [-0.5, 1.5, 2].map((s, c) => Math.max(0, [0.25, -2, 0.5][c]! * gates[c]! + Math.max(0, s)));
    expect(await logitsOf({ ...tiny, ...gate }, { architecture: 'seresnet18' })).toEqual(near(expected));
  });

  it('computes convolutions in groups where the tensor has them', async () => {
    const centre = (weights: readonly number[]): number[] =>
      weights.flatMap((weight) => [0, 0, 0, 0, weight, 0, 0, 0, 0]);
    const grouped: Record<string, Values> = {
      'conv1.weight': [[4, 3, 3, 3], 0],
      ...shifts('bn1', [1, 2, 3, 4]),
      'layer1.0.conv1.weight': [
        [4, 4, 1, 1],
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      ],
      ...shifts('layer1.0.bn1', [0, 0, 0, 0]),
      'layer1.0.conv2.weight': [[4, 2, 3, 3], centre([1, 2, 3, 4, 5, 6, 7, 8])],
      ...shifts('layer1.0.bn2', [0, 0, 0, 0]),
      'layer1.0.conv3.weight': [
        [4, 4, 1, 1],
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      ],
      ...shifts('layer1.0.bn3', [0, 0, 0, 0]),
      'fc.weight': [
        [4, 4],
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      ],
      'fc.bias': [[4], 0],
    };
    const expected = [1 + 2 * 2 + 1, 3 + 4 * 2 + 2, 5 * 3 + 6 * 4 + 3, 7 * 3 + 8 * 4 + 4];
    expect(await logitsOf(grouped, { architecture: 'resnext50_32x4d' })).toEqual(near(expected));
  });
});

describe('bug 8: what config.json says of the network', () => {
  it.each([
    [{ global_pool: 'max' }, 'global_pool'],
    [{ model_args: { stem_type: 'deep' } }, 'model_args'],
    [{ quantization_config: { quant_method: 'bitsandbytes' } }, 'quantization_config'],
  ])('refuses %o', async (config, field) => {
    const failure = { code: 'unsupported-option', message: expect.stringContaining(`config.json: ${field}`) };
    await expect(load(tiny, { architecture: 'resnet18', ...config })).rejects.toMatchObject(failure);
  });

  it.each([
    [{ depths: [1, 1] }, 'depths'],
    [{ layer_type: 'bottleneck' }, 'layer_type'],
    [{ hidden_sizes: [4] }, 'hidden_sizes'],
    [{ num_classes: 10 }, 'num_classes'],
    [{ num_labels: -1 }, 'num_labels'],
    [{ id2label: { 0: 'a', 1: 'b' } }, 'labels'],
    [{ id2label: { 1: 'a', 2: 'b', 3: 'c' } }, 'labels'],
    [{ id2label: 'cat' }, 'id2label'],
    [{ label_names: ['a', 'b', 'c', 'd'] }, 'labels'],
    [{ downsample_in_bottleneck: 'yes' }, 'downsample_in_bottleneck'],
  ])('refuses %o, which contradicts the tensors', async (config, field) => {
    const failure = { code: 'invalid-file', message: expect.stringContaining(`config.json: ${field}`) };
    await expect(load(tiny, { model_type: 'resnet', ...config })).rejects.toMatchObject(failure);
  });

  it('takes what published files say besides', async () => {
    const config = {
      ...{ architectures: ['ResNetForImageClassification'], depths: [1], downsample_in_first_stage: false },
      ...{ dtype: 'float32', embedding_size: 3, hidden_act: 'relu', hidden_sizes: [3], model_type: 'resnet' },
      ...{ id2label: { 0: 'a', 1: 'b', 2: 'c' }, label2id: { a: 0, b: 1, c: 2 }, layer_type: 'basic', num_channels: 3 },
      ...{ out_features: ['stage1'], out_indices: [1], torch_dtype: 'float32', transformers_version: '5.18.0' },
    };
    using model = await load(tiny, config);
    expect(model.labels).toEqual(['a', 'b', 'c']);
  });
});
