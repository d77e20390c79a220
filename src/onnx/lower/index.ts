import type { Call } from '../call.ts';
import type { Lowering, Lowerings } from '../lowerer.ts';
import type { Tensor } from '../values.ts';

interface File {
  /** The ops that it lowers, as nodes name them. */
  readonly ops: string;
  load(): Promise<Readonly<Record<string, Lowering>>>;
  /** Comes before lowerings of other files, which lower what it declines. */
  before?(): Promise<Readonly<Record<string, (call: Call) => Tensor | undefined>>>;
}

/** Files of lowerings: each loads when a graph has one of its ops (`tests/onnx/lowerings.test.ts` compares the names). */
export const FILES: Readonly<Record<string, File>> = {
  attention: {
    ops: 'Attention RotaryEmbedding TensorScatter',
    load: async () => (await import('./attention.ts')).ATTENTION,
  },
  contrib: {
    ops: 'com.microsoft.Gelu com.microsoft.FastGelu com.microsoft.BiasGelu com.microsoft.QuickGelu com.microsoft.SkipLayerNormalization com.microsoft.SkipSimplifiedLayerNormalization com.microsoft.EmbedLayerNormalization com.microsoft.FusedMatMul com.microsoft.FusedConv com.microsoft.Attention com.microsoft.MultiHeadAttention com.microsoft.GroupQueryAttention com.microsoft.RotaryEmbedding',
    load: async () => (await import('./contrib.ts')).CONTRIB,
  },
  contribQuantized: {
    ops: 'com.microsoft.MatMulNBits com.microsoft.MatMulIntegerToFloat com.microsoft.DynamicQuantizeMatMul com.microsoft.DynamicQuantizeLSTM com.microsoft.QGemm com.microsoft.QLinearAdd com.microsoft.QLinearMul com.microsoft.QLinearSigmoid com.microsoft.QLinearLeakyRelu com.microsoft.QLinearSoftmax com.microsoft.QLinearGlobalAveragePool com.microsoft.QLinearAveragePool com.microsoft.QLinearConcat',
    load: async () => (await import('./contrib-quantized.ts')).CONTRIB_QUANTIZED,
  },
  control: {
    ops: 'If Loop Scan SequenceConstruct SequenceEmpty SequenceAt SequenceInsert SequenceErase SequenceLength ConcatFromSequence SplitToSequence Optional OptionalHasElement OptionalGetElement',
    load: async () => (await import('./control.ts')).CONTROL,
  },
  einsum: {
    ops: 'Einsum',
    load: async () => (await import('./einsum.ts')).EINSUM,
  },
  find: {
    ops: 'NonZero Compress Unique',
    load: async () => (await import('./find.ts')).FIND,
  },
  image: {
    ops: 'GridSample RoiAlign AffineGrid Col2Im CenterCropPad NonMaxSuppression Det',
    load: async () => (await import('./image.ts')).IMAGE,
  },
  loss: {
    ops: 'NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss',
    load: async () => (await import('./loss.ts')).LOSS,
  },
  math: {
    ops: 'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Exp Floor Log Neg Not Reciprocal Relu Round Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh IsNaN IsInf BitwiseNot HardSwish LeakyRelu Elu HardSigmoid Gelu Selu Celu Mish Swish ThresholdedRelu Shrink PRelu Add Sub Mul Div Pow Mod And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual BitwiseAnd BitwiseOr BitwiseXor BitShift Max Min Sum Mean Clip Cast CastLike Where Softmax LogSoftmax Hardmax',
    load: async () => (await import('./math.ts')).MATH,
  },
  nn: {
    ops: 'Conv ConvTranspose AveragePool MaxPool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool BatchNormalization MatMul Gemm',
    load: async () => (await import('./nn.ts')).NN,
  },
  normalization: {
    ops: 'InstanceNormalization LayerNormalization GroupNormalization RMSNormalization SimplifiedLayerNormalization LRN LpNormalization MeanVarianceNormalization',
    load: async () => (await import('./normalization.ts')).NORMALIZATION,
  },
  quantized: {
    ops: 'QuantizeLinear DequantizeLinear com.microsoft.QuantizeLinear com.microsoft.DequantizeLinear DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv',
    load: async () => (await import('./quantized.ts')).QUANTIZED,
    before: async () => (await import('./integers.ts')).IN_INTEGERS,
  },
  recurrent: {
    ops: 'RNN GRU LSTM',
    load: async () => (await import('./recurrent.ts')).RECURRENT,
  },
  reduce: {
    ops: 'ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp ArgMax ArgMin TopK CumSum CumProd',
    load: async () => (await import('./reduce.ts')).REDUCE,
  },
  resize: {
    ops: 'Resize Upsample',
    load: async () => (await import('./resize.ts')).RESIZE,
  },
  select: {
    ops: 'GatherND GatherElements ScatterElements Scatter ScatterND DepthToSpace SpaceToDepth EyeLike Trilu OneHot ReverseSequence',
    load: async () => (await import('./select.ts')).SELECT,
  },
  shape: {
    ops: 'Shape Size Identity Dropout Constant ConstantOfShape Reshape Flatten Squeeze Unsqueeze Transpose Concat Split Slice Gather Expand Tile Pad Range',
    load: async () => (await import('./shape.ts')).SHAPE,
  },
  signal: {
    ops: 'HannWindow HammingWindow BlackmanWindow DFT STFT MelWeightMatrix',
    load: async () => (await import('./signal.ts')).SIGNAL,
  },
  text: {
    ops: 'BitCast TfIdfVectorizer ai.onnx.ml.Binarizer',
    load: async () => (await import('./text.ts')).TEXT,
  },
};

/** Whether an op is lowered. */
export const isLowered = (key: string): boolean => Object.values(FILES).some(({ ops }) => ops.split(' ').includes(key));

/** The lowerings of these ops, and of those in the same files; all where absent. */
export async function lowerings(keys?: ReadonlySet<string>): Promise<Lowerings> {
  const needed = Object.values(FILES).filter(({ ops }) => !keys || ops.split(' ').some((op) => keys.has(op)));
  const tables = await Promise.all(needed.map((file) => file.load()));
  const made = new Map(tables.flatMap((table) => Object.entries(table)));
  for (const { before } of needed)
    for (const [op, lower] of Object.entries((await before?.()) ?? {})) {
      const other = made.get(op);
      if (other) made.set(op, (call) => lower(call) ?? other(call));
    }
  return made;
}
