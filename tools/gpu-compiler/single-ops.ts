import { float32, int8, int32, type OpCase, test, uint32 } from '../../src/verify/case.ts';
import { type Float, graphOf } from '../../src/verify/run.ts';

const uint8 = (...shape: number[]) => ({ shape, dataType: 'uint8' as const });

const normal = { input: [64, 1024], scale: [1024], bias: [1024] };
const image = [1, 64, 56, 56];

/** A network over 32 steps of 128 numbers. */
const network = (op: 'lstm' | 'gru' | 'rnn', gates: number, hidden: number, options: object = {}): OpCase =>
  test(
    op,
    {
      input: [32, 1, 128],
      weight: [1, gates * hidden, 128],
      recurrentWeight: [1, gates * hidden, hidden],
      bias: [1, gates * hidden],
      recurrentBias: [1, gates * hidden],
      sequenceLengths: int32([1]),
    },
    { steps: 32, hiddenSize: hidden, returnSequence: true, ...options },
  );

/** Ops that no case of the bench and no model has, at sizes that networks have them. */
const CASES: readonly OpCase[] = [
  // Sequences.
  test('rotaryEmbedding', { input: [1, 128, 2048], cos: [1, 128, 64], sin: [1, 128, 64] }, { heads: 32 }),
  test(
    'rotaryEmbedding',
    { input: [1, 128, 2048], cos: [512, 32], sin: [512, 32], positions: int32([1, 128]) },
    { heads: 32, interleaved: true },
  ),
  test('rotaryEmbedding', { input: [1, 32, 128, 90], cos: [1, 128, 45], sin: [1, 128, 45] }),
  test('rmsNormalization', { input: [64, 1024], scale: [1024] }, { axes: [-1] }),
  test('layerNormalization', { ...normal, input: [64, 1023], scale: [1023], bias: [1023] }, { axes: [-1] }),
  test('softmax', { input: [64, 1024] }, { axis: 1 }),
  test('softmax', { input: [64, 1024] }, { axis: 0 }),
  network('lstm', 4, 128),
  network('lstm', 4, 512),
  network('gru', 3, 128, { resetAfter: true }),
  network('gru', 3, 128, { resetAfter: false }),
  network('gru', 3, 512, { resetAfter: false }),
  network('rnn', 1, 128),
  // Picking and placing.
  test('gather', { input: [1024, 768], indices: int32([64]) }),
  test('gather', { input: [64, 1024], indices: uint32([64]) }, { axis: 1 }),
  test('gatherElements', { input: [64, 1024], indices: int32([64, 64]) }, { axis: 1 }),
  test('gatherND', { input: [64, 64, 64], indices: int32([256, 2]) }),
  test('scatterElements', { input: [64, 1024], indices: int32([64, 64]), updates: [64, 64] }, { axis: 1 }),
  test('scatterND', { input: [64, 64, 64], indices: int32([256, 2]), updates: [256, 64] }, { reduction: 'add' }),
  test('topK', { input: [64, 1024] }, { k: 10 }),
  test('oneHot', { indices: int32([64]), values: [2] }, { depth: 1024 }),
  test('reverseSequence', { input: [64, 8, 256], lengths: int32([8]) }),
  test('triangular', { input: [8, 128, 128] }),
  test('tile', { input: [64, 64] }, { repetitions: [2, 3] }),
  test('where', { condition: uint8(64, 1024), trueValue: [64, 1024], falseValue: [1024] }),
  // Along axes.
  test('reduceSum', { input: [64, 65536] }, { axes: [1] }),
  test('reduceLogSumExp', { input: [64, 65536] }, { axes: [0] }),
  test('reduceMax', { input: int32([64, 65536]) }, { axes: [1] }),
  test('argMax', { input: [64, 65536] }, { axis: 1 }),
  test('cumulativeSum', { input: [64, 1024] }, { axis: 1 }),
  // Functions of an element.
  ...['gelu', 'erf', 'sin', 'atan', 'softplus', 'roundEven'].map((op) => test(op, { input: [64, 1024] })),
  test('pow', { a: [64, 1024], b: [1024] }),
  test('div', { a: [64, 1024], b: [64, 1] }),
  test('equal', { a: [64, 1024], b: [] }),
  // Images.
  test('instanceNormalization', { input: image, scale: [64], bias: [64] }),
  ...(['nearest', 'linear', 'cubic'] as const).map((mode) =>
    test('resize', { input: image }, { axes: [2, 3], sizes: [112, 100], mode }),
  ),
  test('gridSample', { input: image, grid: [1, 28, 28, 2] }),
  test('gridSample', { input: image, grid: [1, 28, 28, 2] }, { mode: 'cubic' }),
  test('roiAlign', { input: image, rois: [16, 4], batchIndices: int32([16]) }, { outputHeight: 7, outputWidth: 7 }),
  test('averagePool2d', { input: image }, { windowDimensions: [3, 3] }),
  test('lpPool2d', { input: image }, { windowDimensions: [3, 3], p: 3 }),
  test('maxPool2dWithIndices', { input: image }, { windowDimensions: [2, 2], strides: [2, 2] }),
  test('convTranspose2d', { input: image, filter: [64, 32, 4, 4] }, { strides: [2, 2] }),
  // Integers.
  test('matmulInteger', { a: uint8(128, 512), b: int8(512, 512) }),
  test('matmulInteger', { a: uint8(128, 512), b: uint8(512, 512) }),
  test('conv2dInteger', { input: uint8(1, 56, 56, 64), filter: int8(64, 3, 3, 64) }, { padding: [1, 1, 1, 1] }),
  test('conv2dInteger', { input: int8(1, 56, 56, 64), filter: int8(64, 1, 1, 64) }),
  test('quantizeLinear', { input: [64, 1024], scale: float32([1]), zeroPoint: uint8(1) }),
  test('dequantizeLinear', { input: uint8(64, 1024), scale: float32([64, 1]), zeroPoint: uint8(64, 1) }),
];

/** An op alone, in each float type that it may have. */
export const singleOps = () =>
  CASES.flatMap((one) => {
    const typed = Object.values(one.inputs).every((spec) => typeof spec === 'object' && 'dataType' in spec);
    const floats: readonly Float[] = typed ? ['float32'] : ['float32', 'float16'];
    return floats.map((float) => ({ name: `${one.title} ${float}`, options: {}, graph: () => graphOf(one, float) }));
  });
