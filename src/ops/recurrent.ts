import { formatShape } from '../tensor/types.ts';
import {
  AS_INPUT,
  defineOp,
  FLOATS,
  type Inputs,
  type Labelled,
  type Operand,
  type OperandSpec,
  type Operands,
  opError,
  type Rewriter,
  type Shape,
} from './define.ts';
import { CELLS, type Cell, type Direction, GATE_ACTIVATIONS, type GateActivation } from './recurrence.ts';

interface CommonOptions {
  steps: number;
  hiddenSize: number;
  direction?: Direction;
  /** The hidden state of every step is a result. */
  returnSequence?: boolean;
  layout?: string;
  activations?: readonly GateActivation[];
  clip?: number;
  resetAfter?: boolean;
  inputForget?: boolean;
}

type Given = Omit<CommonOptions, 'steps' | 'hiddenSize' | 'resetAfter' | 'inputForget' | 'layout'> &
  Labelled & { bias?: Operand; recurrentBias?: Operand; initialHiddenState?: Operand; sequenceLengths?: Operand };
type GivenCell = Pick<Given, 'bias' | 'recurrentBias' | 'activations' | 'clip' | 'label'>;
interface OfLstm {
  peepholeWeight?: Operand;
  layout?: 'iofg' | 'ifgo';
  /** ONNX' coupled gates: the forget gate is 1 - i. */
  inputForget?: boolean;
}
interface OfGru {
  /** The reset gate applies after the product (ONNX' linear_before_reset). */
  resetAfter?: boolean;
  layout?: 'zrn' | 'rzn';
}

type Network<Own> = (
  input: Operand,
  weight: Operand,
  recurrentWeight: Operand,
  steps: number,
  hiddenSize: number,
  options?: Given & Own,
) => readonly Operand[];
type Lstm = Network<OfLstm & { initialCellState?: Operand }>;
type Gru = Network<OfGru>;
type LstmCell = (
  input: Operand,
  weight: Operand,
  recurrentWeight: Operand,
  hiddenState: Operand,
  cellState: Operand,
  hiddenSize: number,
  options?: GivenCell & OfLstm,
) => readonly [hidden: Operand, cell: Operand];
type GruCell = (
  input: Operand,
  weight: Operand,
  recurrentWeight: Operand,
  hiddenState: Operand,
  hiddenSize: number,
  options?: GivenCell & OfGru,
) => Operand;

/** Orders of the gates, the default first. */
const LAYOUTS: Readonly<Record<Cell, readonly string[]>> = {
  rnn: ['n'],
  lstm: ['iofg', 'ifgo'],
  gru: ['zrn', 'rzn'],
};

const wrongShape = (op: string, name: string, found: Shape, wanted: Shape): Error =>
  opError('wrong-shape', op, `${name} is ${formatShape(found)}, expected ${formatShape(wanted)}`);

/** Checks options and shapes of operands. `lead`: axes in front of those of the weights. `states`: of the states. */
function check(
  op: string,
  cell: Cell,
  inputs: Inputs,
  { hiddenSize, layout, activations, clip = 0 }: Omit<CommonOptions, 'steps'>,
  lead: Shape,
  states: Shape,
): void {
  if (!Number.isInteger(hiddenSize) || hiddenSize < 1)
    throw opError('invalid-argument', op, `hiddenSize is ${hiddenSize}, expected an integer of 1 or more`);
  const layouts = LAYOUTS[cell];
  if (layout !== undefined && !layouts.includes(layout))
    throw opError('invalid-argument', op, `layout is '${layout}', expected ${layouts.join(' or ')}`);
  if (!(clip >= 0)) throw opError('invalid-argument', op, `clip is ${clip}, expected 0 or more`);
  const count = CELLS[cell].activations.length;
  if (activations && activations.length !== count)
    throw opError('invalid-argument', op, `${activations.length} activations, expected ${count}`);
  for (const given of activations ?? []) {
    const name = typeof given === 'string' ? given : given.name;
    if (!(name in GATE_ACTIVATIONS))
      throw opError(
        'invalid-argument',
        op,
        `activation '${name}', expected ${Object.keys(GATE_ACTIVATIONS).join(', ')}`,
      );
  }
  const gates = layouts[0]!.length * hiddenSize;
  const state = [...states, hiddenSize];
  const wanted: Record<string, Shape> = {
    weight: [...lead, gates, inputs['input']!.shape.at(-1)!],
    recurrentWeight: [...lead, gates, hiddenSize],
    bias: [...lead, gates],
    recurrentBias: [...lead, gates],
    peepholeWeight: [...lead, 3 * hiddenSize],
    initialHiddenState: state,
    initialCellState: state,
    hiddenState: state,
    cellState: state,
    sequenceLengths: states.slice(-1),
  };
  for (const [name, shape] of Object.entries(wanted)) {
    const found = inputs[name]?.shape;
    if (found && String(found) !== String(shape)) throw wrongShape(op, name, found, shape);
  }
}

/** Zeros where a state is not given. */
const zeros = (shape: Shape, rewriter: Rewriter): Operand =>
  rewriter.constant('float32', shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(0));

/** The states before the first step, [states, directions, batch, hidden] in float32. */
function initialStates(inputs: Operands, names: readonly string[], shape: Shape, rewriter: Rewriter): Operand {
  const given = names.map((name) => inputs[name]);
  if (!given.some(Boolean)) return zeros([names.length, ...shape], rewriter);
  const parts = given.map((state) => {
    if (!state) return zeros([1, ...shape], rewriter);
    const whole = rewriter.add('reshape', { input: state }, { newShape: [1, ...shape] });
    return state.dataType === 'float32' ? whole : rewriter.add('cast', { input: whole }, { to: 'float32' });
  });
  return parts.length === 1 ? parts[0]! : rewriter.add('concat', { input0: parts[0], input1: parts[1] }, { axis: 0 });
}

/** The recurrent weights, with rows behind them, as `recurrence` takes them. */
function blocked(weights: Operand, extra: Operand | undefined, rewriter: Rewriter): Operand {
  const [directions, , hidden] = weights.shape as [number, number, number];
  let whole = weights;
  if (extra) {
    const rows = extra.shape[1]! / hidden;
    const behind = rewriter.add('reshape', { input: extra }, { newShape: [directions, rows, hidden] });
    whole = rewriter.add('concat', { input0: weights, input1: behind }, { axis: 1 });
  }
  const rows = whole.shape[1]!;
  const quarter = Math.ceil(hidden / 4);
  if (hidden % 4)
    whole = rewriter.add(
      'pad',
      { input: whole },
      { beginningPadding: [0, 0, 0], endingPadding: [0, 0, 4 * quarter - hidden] },
    );
  const split = rewriter.add('reshape', { input: whole }, { newShape: [directions, rows, 4, quarter] });
  return rewriter.add('transpose', { input: split }, { permutation: [0, 3, 1, 2] });
}

/** A network as the product of all inputs and the input weights, then `recurrence`. Returns its results. */
function decomposed(cell: Cell, inputs: Operands, options: CommonOptions, rewriter: Rewriter): Operand[] {
  const { input, weight, recurrentWeight, bias, recurrentBias, peepholeWeight, sequenceLengths } = inputs;
  const { steps, hiddenSize, resetAfter = true, returnSequence = false, inputForget } = options;
  const [, batch, size] = input!.shape as [number, number, number];
  const [directions, rows] = weight!.shape as [number, number, number];
  const after = cell === 'gru' && resetAfter;
  const sum =
    bias && recurrentBias && !after ? rewriter.add('add', { a: bias, b: recurrentBias }) : (bias ?? recurrentBias);
  const added = after ? bias : sum;
  const flat = (operand: Operand, newShape: Shape): Operand =>
    rewriter.add('reshape', { input: operand }, { newShape });
  const product = rewriter.add(
    'matmul',
    {
      a: flat(input!, [steps * batch, size]),
      b: flat(weight!, [directions * rows, size]),
      bias: added && flat(added, [directions * rows]),
    },
    { transposeB: true },
  );
  const state = [directions, batch, hiddenSize];
  const names = ['initialHiddenState', 'initialCellState'].slice(0, CELLS[cell].states);
  const [sequence, states] = rewriter.add(
    'recurrence',
    {
      gates: flat(product, [steps, batch, directions * rows]),
      weights: blocked(recurrentWeight!, after ? recurrentBias : peepholeWeight, rewriter),
      initial: initialStates(inputs, names, state, rewriter),
      lengths: sequenceLengths ?? rewriter.constant('int32', [batch], new Array<number>(batch).fill(steps)),
    },
    {
      cell,
      direction: options.direction,
      layout: options.layout ?? LAYOUTS[cell][0],
      activations: options.activations ?? CELLS[cell].activations,
      clip: options.clip,
      resetAfter,
      inputForget,
    },
  ).results as readonly [Operand, Operand];
  const last = (which: number): Operand => {
    // The state after a single step is the sequence.
    if (which === 0 && steps === 1 && !sequenceLengths) return flat(sequence, state);
    const own =
      names.length === 1
        ? states
        : rewriter.add('slice', { input: states }, { starts: [which, 0, 0, 0], sizes: [1, ...state] });
    const made = flat(own, state);
    return input!.dataType === 'float32' ? made : rewriter.add('cast', { input: made }, { to: input!.dataType });
  };
  return [...names.map((_, i) => last(i)), ...(returnSequence ? [sequence] : [])];
}

const WEIGHT: OperandSpec = { as: 'input', rank: [3, 3] };
const BIAS: OperandSpec = { ...AS_INPUT, rank: [2, 2] };
const STATE: OperandSpec = { ...AS_INPUT, rank: [3, 3] };

const OPTIONS = ['direction', 'returnSequence', 'activations', 'clip'];
const OWN: Readonly<Record<Cell, readonly string[]>> = {
  rnn: [],
  lstm: ['layout', 'inputForget'],
  gru: ['layout', 'resetAfter'],
};

const network = <Method>(cell: Cell) =>
  defineOp<CommonOptions, Method>({
    name: cell,
    operands: {
      input: { types: FLOATS, rank: [3, 3] },
      weight: WEIGHT,
      recurrentWeight: WEIGHT,
      bias: BIAS,
      recurrentBias: BIAS,
      ...(cell === 'lstm' && { peepholeWeight: BIAS }),
      initialHiddenState: STATE,
      ...(cell === 'lstm' && { initialCellState: STATE }),
      sequenceLengths: { types: ['int32'], rank: [1, 1], optional: true },
    },
    args: ['steps', 'hiddenSize'],
    options: [...OPTIONS, ...OWN[cell]],
    results: cell === 'lstm' ? ['hidden', 'cell', 'sequence'] : ['hidden', 'sequence'],
    tolerance: { ulps: 64, roundings: 4 },
    values: (name, inputs) => (name === 'sequenceLengths' ? { low: 0, high: inputs['input']!.shape[0]! } : undefined),
    infer(inputs, options) {
      const { steps, hiddenSize, direction = 'forward', returnSequence } = options;
      const { dataType, shape } = inputs['input']!;
      const [length, batch] = shape as [number, number, number];
      const directions = { forward: 1, backward: 1, both: 2 }[direction];
      if (!directions)
        throw opError(
          'invalid-argument',
          cell,
          `direction is '${direction as string}', expected forward, backward or both`,
        );
      if (steps !== length || steps < 1)
        throw opError('invalid-argument', cell, `steps is ${steps}, input ${formatShape(shape)} has ${length}`);
      const state = [directions, batch, hiddenSize];
      check(cell, cell, inputs, options, [directions], state.slice(0, 2));
      return [
        ...new Array<object>(CELLS[cell].states).fill({}).map(() => ({ dataType, shape: state })),
        ...(returnSequence ? [{ dataType, shape: [steps, ...state] }] : []),
      ];
    },
    decompose: (inputs, options, rewriter) => decomposed(cell, inputs, options, rewriter),
  });

/**
 * lstm: a long short-term memory over [steps, batch, input]. Returns the hidden and the cell state after the last step,
 * [directions, batch, hidden], and with `returnSequence` the hidden state of every step. A step of gates i, o, f, g of
 * x·Wᵀ + h·Rᵀ + biases: c = f·c + i·g, h = o·h(c). Peepholes add p·c to i, o (the new c) and f.
 */
export const lstm = network<Lstm>('lstm');

/**
 * gru: a gated recurrent unit: h = (1 - z)·n + z·h, n = g(x·Wᵀ + r·(h·Rᵀ + bias)), or of (r·h)·Rᵀ without `resetAfter`.
 */
export const gru = network<Gru>('gru');

/** rnn (ONNX' RNN): h = f(x·Wᵀ + h·Rᵀ + biases). */
export const rnn = network<Network<object>>('rnn');

const MATRIX: OperandSpec = { as: 'input', rank: [2, 2] };
const VECTOR: OperandSpec = { ...AS_INPUT, rank: [1, 1] };

/** A step of a network, without the axes of steps and directions. */
const cellOf = <Method>(cell: 'lstm' | 'gru') => {
  const name = `${cell}Cell`;
  const states = cell === 'lstm' ? ['hiddenState', 'cellState'] : ['hiddenState'];
  return defineOp<Omit<CommonOptions, 'steps'>, Method>({
    name,
    operands: {
      input: { types: FLOATS, rank: [2, 2] },
      weight: MATRIX,
      recurrentWeight: MATRIX,
      ...Object.fromEntries(states.map((state) => [state, MATRIX])),
      bias: VECTOR,
      recurrentBias: VECTOR,
      ...(cell === 'lstm' && { peepholeWeight: VECTOR }),
    },
    args: ['hiddenSize'],
    options: ['activations', 'clip', ...OWN[cell]],
    ...(cell === 'lstm' && { results: ['hidden', 'cell'] }),
    tolerance: { ulps: 64, roundings: 4 },
    infer(inputs, options) {
      const { dataType, shape } = inputs['input']!;
      check(name, cell, inputs, options, [], shape.slice(0, 1));
      return states.map(() => ({ dataType, shape: [shape[0]!, options.hiddenSize] }));
    },
    decompose(inputs, options, rewriter) {
      const whole = Object.entries(inputs).map(([key, operand]) => {
        const newShape = [1, ...operand.shape];
        const renamed = key.replace(/^(hidden|cell)State$/, (_, kind: string) =>
          kind === 'hidden' ? 'initialHiddenState' : 'initialCellState',
        );
        return [renamed, rewriter.add('reshape', { input: operand }, { newShape })] as const;
      });
      const made = rewriter.add(cell, Object.fromEntries(whole), { ...options, steps: 1 }).results;
      return made.map((state) => rewriter.add('reshape', { input: state }, { newShape: state.shape.slice(1) }));
    },
  });
};

/** lstmCell: a step of `lstm`: input [batch, input], states [batch, hidden]. Returns [hidden, cell]. */
export const lstmCell = cellOf<LstmCell>('lstm');

/** gruCell: a step of `gru`: returns the hidden state [batch, hidden]. */
export const gruCell = cellOf<GruCell>('gru');
