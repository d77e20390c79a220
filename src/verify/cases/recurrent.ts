import { float32, inFloat32, int32, type OpCase, test, valued } from '../case.ts';

const CELLS = {
  rnn: { gates: 1, states: 1, extra: 0, layout: 'n', activations: ['tanh'] },
  lstm: { gates: 4, states: 2, extra: 3, layout: 'iofg', activations: ['sigmoid', 'tanh', 'tanh'] },
  gru: { gates: 3, states: 1, extra: 3, layout: 'zrn', activations: ['sigmoid', 'tanh'] },
} as const;
type Cell = keyof typeof CELLS;

/** Sizes: steps, sequences, numbers of an input, hidden units. */
type Sizes = readonly [steps: number, batch: number, size: number, hidden: number];

/** The op of the kernels, on weights in their order. */
function kernel(
  cell: Cell,
  [steps, batch, , hidden]: Sizes,
  options: { direction?: string; layout?: string; resetAfter?: boolean; extra?: boolean; clip?: number } = {},
): OpCase {
  const { gates, states, extra: most, layout, activations } = CELLS[cell];
  const { extra = false, ...others } = options;
  const directions = options.direction === 'both' ? 2 : 1;
  const rows = gates * hidden + (extra ? most : 0);
  return test(
    'recurrence',
    {
      gates: [steps, batch, directions * gates * hidden],
      weights: [directions, Math.ceil(hidden / 4), rows, 4],
      initial: float32([states, directions, batch, hidden]),
      lengths: int32([batch]),
    },
    { cell, layout, activations, ...others },
  );
}

/** A network with all that it may be given but a peephole; `without` names operands. */
function network(
  cell: Cell,
  [steps, batch, size, hidden]: Sizes,
  options: object = {},
  without: readonly string[] = [],
  more: OpCase['inputs'] = {},
): OpCase {
  const { gates } = CELLS[cell];
  const directions = (options as { direction?: string }).direction === 'both' ? 2 : 1;
  const rows = gates * hidden;
  const all: OpCase['inputs'] = {
    input: [steps, batch, size],
    weight: [directions, rows, size],
    recurrentWeight: [directions, rows, hidden],
    bias: [directions, rows],
    recurrentBias: [directions, rows],
    initialHiddenState: [directions, batch, hidden],
    ...(cell === 'lstm' && { initialCellState: [directions, batch, hidden] }),
    ...more,
  };
  const inputs = Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)));
  return test(cell, inputs, { steps, hiddenSize: hidden, ...options });
}

const kernels: OpCase[] = [
  kernel('lstm', [3, 2, 0, 8]),
  kernel('lstm', [2, 3, 0, 5], { direction: 'both', layout: 'ifgo', extra: true }),
  kernel('gru', [3, 2, 0, 8], { resetAfter: true, extra: true, direction: 'backward' }),
  kernel('gru', [3, 2, 0, 8], { direction: 'both' }),
  kernel('gru', [2, 2, 0, 7], { layout: 'rzn' }),
  kernel('rnn', [4, 3, 0, 8], { direction: 'both' }),
  ...inFloat32([
    kernel('lstm', [4, 1, 0, 40], { clip: 0.5 }),
    kernel('gru', [2, 2, 0, 6], { resetAfter: true, layout: 'rzn' }),
    kernel('rnn', [1, 2, 0, 3]),
    kernel('rnn', [3, 1, 0, 1]),
  ]),
];

const BARE = ['bias', 'recurrentBias', 'initialHiddenState', 'initialCellState'];
const sequence = { returnSequence: true };

/** The first of these kernels, with what is around them. */
const networks: OpCase[] = [
  network('lstm', [3, 2, 3, 5], sequence),
  network('gru', [3, 2, 3, 5], sequence),
  network('rnn', [3, 2, 3, 5], sequence),
  ...inFloat32([
    network('lstm', [3, 2, 3, 8], {}, BARE),
    network('lstm', [3, 2, 3, 5], { direction: 'both', ...sequence }, ['initialHiddenState', 'recurrentBias'], {
      peepholeWeight: [2, 15],
    }),
    network('lstm', [3, 3, 2, 4], { direction: 'backward', layout: 'ifgo', ...sequence }, [], {
      sequenceLengths: int32([3], [3, 0, 1]),
      peepholeWeight: [1, 12],
    }),
    network('lstm', [2, 2, 3, 4], { inputForget: true, clip: 0.75 }, ['bias']),
    network('gru', [3, 2, 3, 5], { direction: 'both', resetAfter: false, ...sequence }, ['recurrentBias']),
    network('gru', [3, 3, 2, 4], { direction: 'backward', layout: 'rzn', resetAfter: false, ...sequence }, [], {
      sequenceLengths: int32([3], [2, 3, 0]),
    }),
    network('gru', [2, 2, 3, 8], { layout: 'rzn' }, ['bias']),
    network('gru', [1, 2, 3, 4], {}, BARE),
    network('rnn', [3, 3, 2, 4], { direction: 'both', clip: 0.4 }, ['bias'], {
      sequenceLengths: int32([3], (run) => (run ? [1, 2, 3] : [0, 3, 5])),
    }),
  ]),
];

/** Every activation, where it is and where it bends. */
const activations: OpCase[] = inFloat32([
  network('lstm', [2, 2, 3, 4], { activations: ['hardSigmoid', 'softsign', 'relu'] }, BARE),
  network('lstm', [2, 2, 3, 4], { activations: ['leakyRelu', { name: 'elu', alpha: 1.5 }, 'softplus'] }, BARE),
  network(
    'gru',
    [2, 2, 3, 4],
    {
      activations: [
        { name: 'linear', alpha: 0.5, beta: -0.25 },
        { name: 'thresholdedRelu', alpha: 0.3 },
      ],
    },
    BARE,
  ),
  network('rnn', [2, 2, 3, 4], { activations: [{ name: 'scaledTanh', alpha: 0.7, beta: 1.3 }] }, BARE),
  // Far out, where exp is infinite.
  network('lstm', [2, 2, 3, 4], sequence, [], { input: valued([2, 2, 3], { low: -200, high: 200 }) }),
]);

const cell = (name: 'lstm' | 'gru', batch: number, size: number, hidden: number, options: object = {}): OpCase => {
  const rows = CELLS[name].gates * hidden;
  return test(
    `${name}Cell`,
    {
      input: [batch, size],
      weight: [rows, size],
      recurrentWeight: [rows, hidden],
      hiddenState: [batch, hidden],
      ...(name === 'lstm' && { cellState: [batch, hidden] }),
      bias: [rows],
      recurrentBias: [rows],
      ...(name === 'lstm' && { peepholeWeight: [3 * hidden] }),
    },
    { hiddenSize: hidden, ...options },
  );
};

const steps: OpCase[] = [
  cell('lstm', 2, 3, 5),
  cell('gru', 2, 3, 5),
  ...inFloat32([cell('lstm', 1, 3, 4, { layout: 'ifgo' }), cell('gru', 3, 2, 4, { layout: 'rzn', resetAfter: false })]),
];

export const cases: readonly OpCase[] = [...kernels, ...networks, ...activations, ...steps];
