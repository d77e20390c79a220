import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';

/** WebNN's names of ONNX's functions. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  relu: 'relu',
  leakyrelu: 'leakyRelu',
  elu: 'elu',
  hardsigmoid: 'hardSigmoid',
  softplus: 'softplus',
  softsign: 'softsign',
  affine: 'linear',
  thresholdedrelu: 'thresholdedRelu',
  scaledtanh: 'scaledTanh',
};
/** Functions of two numbers; those of one have alpha alone. */
const TWO = new Set(['hardSigmoid', 'linear', 'scaledTanh']);
const ONE = new Set(['leakyRelu', 'elu', 'thresholdedRelu']);

/** The functions of the gates. All directions have the same. */
function activationsOf(call: Call, directions: number): readonly object[] | undefined {
  const names = call.texts('activations');
  const [alphas, betas] = [call.floats('activation_alpha') ?? [], call.floats('activation_beta') ?? []];
  if (!names?.length) return undefined;
  const list = names.map((name) => {
    const known = FUNCTIONS[name.toLowerCase()] ?? call.unsupported(`the activation ${name}`);
    const alpha = ONE.has(known) || TWO.has(known) ? alphas.shift() : undefined;
    const beta = TWO.has(known) ? betas.shift() : undefined;
    return { name: known, ...(alpha !== undefined && { alpha }), ...(beta !== undefined && { beta }) };
  });
  const each = list.length / directions;
  const first = list.slice(0, each);
  if (list.some((one, i) => JSON.stringify(one) !== JSON.stringify(first[i % each])))
    call.unsupported('other activations in each direction');
  // A function without numbers of its own is a name.
  return first.map((one) => (Object.keys(one).length > 1 ? one : (one.name as unknown as object)));
}

/** RNN, GRU and LSTM: [Y, Y_h, Y_c]. */
const network =
  (op: 'rnn' | 'gru' | 'lstm'): Lowering =>
  (call) => {
    const direction = call.choice('direction', 'forward', ['forward', 'reverse', 'bidirectional']);
    const batchFirst = call.flag('layout');
    const swap = (operand: Operand): Operand => (batchFirst ? call.transpose(operand, [1, 0, 2]) : operand);
    const weight = call.operand(1);
    const recurrentWeight = call.operand(2);
    const [directions, gates, hidden] = recurrentWeight.shape as [number, number, number];
    const hiddenSize = call.int('hidden_size', hidden);
    const input = swap(call.operand(0));
    const both = call.optionalOperand(3);
    const half = (at: number): Operand | undefined =>
      both && call.add('slice', { input: both }, { starts: [0, at * gates], sizes: [directions, gates] });
    const initial = call.optionalOperand(5);
    const cell = op === 'lstm' ? call.optionalOperand(6) : undefined;
    const lengths = call.optionalOperand(4);
    const activations = activationsOf(call, directions);
    const clip = call.floatOr('clip');
    call.skip('output_sequence');
    const inputs = {
      input,
      weight,
      recurrentWeight,
      bias: half(0),
      recurrentBias: half(1),
      initialHiddenState: initial && swap(initial),
      sequenceLengths: lengths && call.cast(lengths, 'int32'),
      ...(op === 'lstm' && { initialCellState: cell && swap(cell), peepholeWeight: call.optionalOperand(7) }),
    };
    const options = {
      steps: input.shape[0]!,
      hiddenSize,
      direction: { forward: 'forward', reverse: 'backward', bidirectional: 'both' }[direction],
      returnSequence: true,
      ...(activations && { activations }),
      ...(clip !== undefined && { clip }),
      ...(op === 'gru' && { resetAfter: call.flag('linear_before_reset') }),
      ...(op === 'lstm' && call.flag('input_forget') && { inputForget: true }),
    };
    const made = call.several(op, inputs, options);
    const sequence = made.at(-1)!;
    const type = call.tensor(0).type;
    const out = (operand: Operand, order: readonly number[]): Tensor =>
      call.made(batchFirst ? call.transpose(operand, order) : operand, type);
    const states = made.slice(0, -1).map((operand) => out(operand, [1, 0, 2]));
    return [out(sequence, [2, 0, 1, 3]), ...states];
  };

export const RECURRENT: Readonly<Record<string, Lowering>> = {
  RNN: network('rnn'),
  GRU: network('gru'),
  LSTM: network('lstm'),
};
