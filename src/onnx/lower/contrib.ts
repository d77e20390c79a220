import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { CONTRIB_ATTENTION } from './contrib-attention.ts';
import { add, mul } from './math.ts';
import { convolve, multiply } from './nn.ts';
import { rmsNormalize } from './normalization.ts';

const gelu = (call: Call, input: Operand): Operand => call.add('gelu', { input });
const tanhGelu = (call: Call, input: Operand): Operand => call.add('gelu_tanh', { input });

const normalize = (call: Call, input: Operand, scale: Operand, bias: Operand | undefined, epsilon: number): Operand =>
  call.add('layerNormalization', { input, scale, bias }, { axes: [input.shape.length - 1], epsilon });

/** input + skip (+ bias), normalised: [output, mean, inverse, sum]. */
const skipNormalization =
  (simplified: boolean): Lowering =>
  (call) => {
    const epsilon = call.float('epsilon', 1e-12);
    const scale = call.operand(2);
    const beta = simplified ? undefined : call.optionalOperand(3);
    const bias = call.optionalOperand(simplified ? 3 : 4);
    const sum = add(call, call.operand(0), call.operand(1));
    const whole = bias ? add(call, sum, bias) : sum;
    const made = simplified
      ? rmsNormalize(call, whole, [whole.shape.length - 1], epsilon, scale)
      : normalize(call, whole, scale, beta, epsilon);
    return [call.made(made), undefined, undefined, call.made(whole)];
  };

/** Embeddings of words, places and segments, normalised: [output, mask index, sum]. */
const embedLayerNormalization: Lowering = (call) => {
  const epsilon = call.float('epsilon', 1e-12);
  call.skip('mask_index_type');
  const ids = call.operand(0);
  const [b, s] = ids.shape as [number, number];
  const rows = (table: number, indices: Operand): Operand =>
    call.add('gather', { input: call.operand(table), indices }, { axis: 0 });
  const positions =
    call.optionalOperand(8) ??
    call.constant(
      'int32',
      [1, s],
      call.list(s, (i) => i),
    );
  const segments = call.optionalOperand(1);
  const words = add(call, rows(2, ids), rows(3, positions));
  const sum = segments && call.optional(4) ? add(call, words, rows(4, segments)) : words;
  const { type } = call.tensor(2);
  const made = call.made(normalize(call, sum, call.operand(5), call.operand(6), epsilon), type);
  const mask = call.optionalOperand(7);
  const counts = mask
    ? call.add('reduceSum', { input: call.cast(mask, 'float32') }, { axes: [1], keepDimensions: false })
    : call.constant(
        'float',
        [b],
        call.list(b, () => 0),
      );
  return [made, call.made(call.cast(counts, 'int32'), 'int32'), call.made(sum, type)];
};

/** alpha · A · B, with either transposed. */
const fusedMatMul: Lowering = (call) => {
  const alpha = call.float('alpha', 1);
  if (call.flag('transBatchA') || call.flag('transBatchB')) call.unsupported('transBatchA and transBatchB');
  const turned = (i: number, name: string): Operand => {
    const operand = call.operand(i);
    const rank = operand.shape.length;
    if (!call.flag(name) || rank < 2) return operand;
    const order = operand.shape.map((_, d) => d);
    return call.transpose(operand, [...order.slice(0, -2), rank - 1, rank - 2]);
  };
  const made = multiply(call, turned(0, 'transA'), turned(1, 'transB'));
  return call.made(alpha === 1 ? made : mul(call, made, alpha));
};

/** The activation of FusedConv and FusedGemm. */
function activate(call: Call, input: Operand): Operand {
  const name = call.text('activation', '');
  const [alpha, beta] = call.floats('activation_params') ?? [];
  const numbers = { ...(alpha !== undefined && { alpha }), ...(beta !== undefined && { beta }) };
  const ops: Readonly<Record<string, string>> = {
    Relu: 'relu',
    Sigmoid: 'sigmoid',
    Tanh: 'tanh',
    LeakyRelu: 'leakyRelu',
    Clip: 'clamp',
    HardSigmoid: 'hardSigmoid',
    HardSwish: 'hardSwish',
  };
  if (!name) return input;
  return call.add(ops[name] ?? call.unsupported(`the activation ${name}`), { input }, numbers);
}

const fusedConv: Lowering = (call) => {
  const made = convolve(call, call.operand(0), call.operand(1), call.optionalOperand(2));
  const residual = call.optionalOperand(3);
  return call.made(activate(call, residual ? add(call, made, residual) : made));
};

/** Ops of com.microsoft that onnxruntime's optimiser writes: several of ONNX's in one. */
export const CONTRIB: Readonly<Record<string, Lowering>> = {
  'com.microsoft.Gelu': (call) => call.made(gelu(call, call.operand(0))),
  'com.microsoft.FastGelu': (call) => {
    const bias = call.optionalOperand(1);
    const input = call.operand(0);
    return call.made(tanhGelu(call, bias ? add(call, input, bias) : input));
  },
  'com.microsoft.BiasGelu': (call) => call.made(gelu(call, add(call, call.operand(0), call.operand(1)))),
  'com.microsoft.QuickGelu': (call) => {
    const alpha = call.float('alpha', 1.7020000219345093);
    return call.made(call.add('swish', { input: call.operand(0) }, { alpha }));
  },
  'com.microsoft.SkipLayerNormalization': skipNormalization(false),
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNormalization(true),
  'com.microsoft.EmbedLayerNormalization': embedLayerNormalization,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.FusedConv': fusedConv,
  ...CONTRIB_ATTENTION,
};
