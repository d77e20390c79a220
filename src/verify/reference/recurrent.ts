import type { Cell, Direction, GateActivation } from '../../ops/recurrence.ts';
import { CELLS } from '../../ops/recurrence.ts';
import { elementCount } from '../../tensor/types.ts';
import { at, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

/** A number and its mass. */
interface Term {
  readonly value: number;
  readonly mass: number;
}

const exactly = (value: number): Term => ({ value, mass: Math.abs(value) });
const plus = (...terms: readonly Term[]): Term => ({
  value: terms.reduce((sum, { value }) => sum + value, 0),
  mass: terms.reduce((sum, { mass }) => sum + mass, 0),
});
const times = (a: Term, b: Term): Term => ({
  value: a.value * b.value,
  mass: a.mass * Math.abs(b.value) + Math.abs(a.value) * b.mass,
});
const rest = ({ value, mass }: Term): Term => ({ value: 1 - value, mass: 1 + mass });

type Function = (x: number, alpha: number | undefined, beta: number | undefined) => number;

const FUNCTIONS: Readonly<Record<string, Function>> = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  linear: (x, alpha = 1, beta = 0) => alpha * x + beta,
  leakyRelu: (x, alpha = 0.01) => (x >= 0 ? x : alpha * x),
  thresholdedRelu: (x, alpha = 1) => (x > alpha ? x : 0),
  scaledTanh: (x, alpha = 1, beta = 1) => alpha * Math.tanh(beta * x),
  hardSigmoid: (x, alpha = 0.2, beta = 0.5) => Math.min(Math.max(alpha * x + beta, 0), 1),
  elu: (x, alpha = 1) => (x >= 0 ? x : alpha * Math.expm1(x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

interface Options {
  direction?: Direction;
  layout?: string;
  activations?: readonly GateActivation[];
  clip?: number;
  resetAfter?: boolean;
  inputForget?: boolean;
  returnSequence?: boolean;
}

/** What a network is made of, by direction d, sequence b, step t, gate and hidden unit. */
interface Parts {
  readonly dataType: RefTensor['dataType'];
  readonly sizes: readonly [steps: number, directions: number, batch: number, hidden: number];
  input(t: number, d: number, b: number, row: number): Term;
  weight(d: number, row: number, unit: number): number;
  /** A peephole, or the recurrent bias. */
  extra(d: number, row: number, unit: number): number;
  initial(which: number, d: number, b: number, unit: number): number;
  length(b: number): number;
}

/** The hidden state of every step, and the states [states, directions, batch, hidden] after the last one. */
function walk(cell: Cell, parts: Parts, options: Options): { sequence: RefTensor; states: RefTensor } {
  const { dataType } = parts;
  const [steps, directions, batch, hidden] = parts.sizes;
  const { direction, clip = 0, resetAfter = true, inputForget = false } = options;
  const layout = options.layout ?? { lstm: 'iofg', gru: 'zrn', rnn: 'n' }[cell];
  const act = (i: number, { value, mass }: Term): Term => {
    const given = (options.activations ?? CELLS[cell].activations)[i]!;
    const { name, alpha, beta } = typeof given === 'string' ? { name: given } : given;
    const x = clip && i < 2 ? Math.min(Math.max(value, -clip), clip) : value;
    const y = FUNCTIONS[name]!(x, alpha, beta);
    return {
      value: y,
      mass: mass * Math.max(1, Math.abs(alpha ?? 1), Math.abs((alpha ?? 1) * (beta ?? 1))) + Math.abs(y),
    };
  };
  const tensor = (type: RefTensor['dataType'], shape: readonly number[]) => ({
    dataType: type,
    shape,
    data: new Float64Array(elementCount(shape)),
    mass: new Float64Array(elementCount(shape)),
    terms: hidden,
  });
  const sequence = tensor(dataType, [steps, directions, batch, hidden]);
  const states = tensor('float32', [CELLS[cell].states, directions, batch, hidden]);
  const put = (to: typeof states, index: readonly number[], { value, mass }: Term): void => {
    to.data[placeOf(to.shape, index)] = value;
    to.mass[placeOf(to.shape, index)] = mass;
  };
  const units = Array.from({ length: hidden }, (_, u) => u);

  for (let d = 0; d < directions; d++) {
    for (let b = 0; b < batch; b++) {
      let h = units.map((u) => exactly(parts.initial(0, d, b, u)));
      let c = units.map((u) => exactly(cell === 'lstm' ? parts.initial(1, d, b, u) : 0));
      for (let step = 0; step < steps; step++) {
        const t = direction === 'backward' || d === 1 ? steps - 1 - step : step;
        if (t >= parts.length(b)) continue;
        const rowOf = (gate: string, u: number): number => layout.indexOf(gate) * hidden + u;
        const given = (gate: string, u: number): Term => parts.input(t, d, b, rowOf(gate, u));
        const product = (gate: string, u: number, of: readonly Term[] = h): Term =>
          plus(...units.map((k) => times(exactly(parts.weight(d, rowOf(gate, u), k)), exactly(of[k]!.value))));
        const sum = (gate: string, u: number): Term => plus(given(gate, u), product(gate, u));
        const extra = (row: number, u: number): Term => exactly(parts.extra(d, row, u));
        if (cell === 'rnn') h = units.map((u) => act(0, sum('n', u)));
        else if (cell === 'lstm') {
          const before = c;
          const i = units.map((u) => act(0, plus(sum('i', u), times(extra(0, u), exactly(before[u]!.value)))));
          const f = units.map((u) =>
            inputForget ? rest(i[u]!) : act(0, plus(sum('f', u), times(extra(2, u), exactly(before[u]!.value)))),
          );
          c = units.map((u) => plus(times(f[u]!, exactly(before[u]!.value)), times(i[u]!, act(1, sum('g', u)))));
          const o = units.map((u) => act(0, plus(sum('o', u), times(extra(1, u), c[u]!))));
          h = units.map((u) => times(o[u]!, act(2, c[u]!)));
        } else {
          const before = h;
          const biased = (gate: string, u: number): Term =>
            plus(product(gate, u, before), extra(layout.indexOf(gate), u));
          const z = units.map((u) => act(0, plus(given('z', u), biased('z', u))));
          const r = units.map((u) => act(0, plus(given('r', u), biased('r', u))));
          const reset = units.map((u) => times(r[u]!, exactly(before[u]!.value)));
          const n = units.map((u) =>
            act(
              1,
              plus(
                given('n', u),
                resetAfter ? times(r[u]!, biased('n', u)) : plus(product('n', u, reset), extra(layout.indexOf('n'), u)),
              ),
            ),
          );
          h = units.map((u) => plus(times(rest(z[u]!), n[u]!), times(z[u]!, exactly(before[u]!.value))));
        }
        for (const u of units) put(sequence, [t, d, b, u], h[u]!);
      }
      for (const u of units) {
        put(states, [0, d, b, u], h[u]!);
        if (cell === 'lstm') put(states, [1, d, b, u], c[u]!);
      }
    }
  }
  return { sequence, states };
}

/** Block q of the weights holds the units q, q + hidden/4 and so on. */
function recurrence(
  { gates, weights, initial, lengths }: RefInputs,
  options: Options & { cell: Cell; layout: string },
) {
  const [steps, batch] = gates!.shape as [number, number, number];
  const [, directions, , hidden] = initial!.shape as [number, number, number, number];
  const [, quarter, rows] = weights!.shape as [number, number, number, number];
  const own = options.layout.length * hidden;
  const weight = (d: number, row: number, unit: number): number =>
    row < rows ? at(weights!, [d, unit % quarter, row, Math.floor(unit / quarter)]) : 0;
  const { sequence, states } = walk(
    options.cell,
    {
      dataType: gates!.dataType,
      sizes: [steps, directions, batch, hidden],
      input: (t, d, b, row) => exactly(at(gates!, [t, b, d * own + row])),
      weight,
      extra: (d, row, unit) => weight(d, own + row, unit),
      initial: (which, d, b, unit) => at(initial!, [which, d, b, unit]),
      length: (b) => at(lengths!, [b]),
    },
    { resetAfter: false, ...options },
  );
  return [sequence, states];
}

const network =
  (cell: Cell) =>
  (inputs: RefInputs, options: Options & { hiddenSize: number }): readonly RefTensor[] => {
    const { input, weight, recurrentWeight, bias, recurrentBias, peepholeWeight, sequenceLengths } = inputs;
    const [steps, batch, size] = input!.shape as [number, number, number];
    const directions = weight!.shape[0]!;
    const hidden = options.hiddenSize;
    const first = [inputs['initialHiddenState'], inputs['initialCellState']];
    const { sequence, states } = walk(
      cell,
      {
        dataType: input!.dataType,
        sizes: [steps, directions, batch, hidden],
        input: (t, d, b, row) =>
          plus(
            exactly(bias ? at(bias, [d, row]) : 0),
            exactly(recurrentBias && cell !== 'gru' ? at(recurrentBias, [d, row]) : 0),
            ...Array.from({ length: size }, (_, k) =>
              times(exactly(at(input!, [t, b, k])), exactly(at(weight!, [d, row, k]))),
            ),
          ),
        weight: (d, row, unit) => at(recurrentWeight!, [d, row, unit]),
        extra: (d, row, unit) => {
          const rows = cell === 'gru' ? recurrentBias : peepholeWeight;
          return rows ? at(rows, [d, row * hidden + unit]) : 0;
        },
        initial: (which, d, b, unit) => (first[which] ? at(first[which], [d, b, unit]) : 0),
        length: (b) => (sequenceLengths ? at(sequenceLengths, [b]) : steps),
      },
      options,
    );
    const share = elementCount(states.shape) / states.shape[0]!;
    const ends = Array.from({ length: states.shape[0]! }, (_, i): RefTensor => {
      const slice = (list: ArrayLike<number>) => Array.from(list).slice(i * share, (i + 1) * share);
      return {
        ...states,
        dataType: input!.dataType,
        shape: states.shape.slice(1),
        data: slice(states.data),
        mass: slice(states.mass!),
      };
    });
    return [...ends, ...(options.returnSequence ? [sequence] : [])];
  };

/** A network of one step. */
const cellOf =
  (cell: 'lstm' | 'gru') =>
  (inputs: RefInputs, options: Options & { hiddenSize: number }): readonly RefTensor[] => {
    const names: Record<string, string> = { hiddenState: 'initialHiddenState', cellState: 'initialCellState' };
    const whole = Object.fromEntries(
      Object.entries(inputs).map(([name, { dataType, shape, data }]) => [
        names[name] ?? name,
        { dataType, shape: [1, ...shape], data },
      ]),
    );
    return network(cell)(whole, options).map((state) => ({ ...state, shape: state.shape.slice(1) }));
  };

export const references = {
  recurrence,
  lstm: network('lstm'),
  gru: network('gru'),
  rnn: network('rnn'),
  lstmCell: cellOf('lstm'),
  gruCell: cellOf('gru'),
};
