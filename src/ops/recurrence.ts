import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import gate from '../../shaders/lib/gate.wgsl';
import cells from '../../shaders/lib/recurrent_cell.wgsl';
import states from '../../shaders/lib/recurrent_state.wgsl';
import sums from '../../shaders/lib/recurrent_sums.wgsl';
import kernel from '../../shaders/recurrent.wgsl';
import resetKernel from '../../shaders/recurrent_reset.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { f32, part, u32, type Variant } from '../gpu/wgsl.ts';
import { formatShape } from '../tensor/types.ts';
import { type Candidate, defineOp, ELEM, FLAT, FLOATS, type Inputs, opError, type Part, type Shape } from './define.ts';

/** Activations of gates by their number in shaders/lib/gate.wgsl, with the defaults of alpha and beta (ONNX). */
export const GATE_ACTIVATIONS: Readonly<Record<string, { alpha?: number; beta?: number }>> = {
  sigmoid: {},
  tanh: {},
  relu: {},
  linear: { alpha: 1, beta: 0 },
  leakyRelu: { alpha: 0.01 },
  thresholdedRelu: { alpha: 1 },
  scaledTanh: { alpha: 1, beta: 1 },
  hardSigmoid: { alpha: 0.2, beta: 0.5 },
  elu: { alpha: 1 },
  softsign: {},
  softplus: {},
};

/** WebNN's are names; ONNX gives numbers too. */
export type GateActivation = string | { readonly name: string; readonly alpha?: number; readonly beta?: number };

export type Direction = 'forward' | 'backward' | 'both';

export type Cell = 'rnn' | 'lstm' | 'gru';

export interface RecurrenceOptions {
  cell: Cell;
  direction?: Direction;
  /** Of an LSTM the gates i, o, f, g, of a GRU z, r, n, in the order of the weights. */
  layout: string;
  /** f of all gates; g of the new value (LSTM, GRU); h of the cell state (LSTM). */
  activations: readonly GateActivation[];
  /** Sums of gates are within ±clip; 0: any. */
  clip?: number;
  /** GRU: the reset gate applies after the product. */
  resetAfter?: boolean;
  /** LSTM: the forget gate is 1 - i. */
  inputForget?: boolean;
}

/** By cell: activations, states, rows behind the gates of the weights, where there are any. */
export const CELLS = {
  rnn: { activations: ['tanh'], states: 1, extra: 0 },
  lstm: { activations: ['sigmoid', 'tanh', 'tanh'], states: 2, extra: 3 },
  gru: { activations: ['sigmoid', 'tanh'], states: 1, extra: 3 },
} as const;

const sizesOf = ({ gates, weights, initial }: Inputs, { layout }: RecurrenceOptions) => {
  const [steps, batch, width] = gates!.shape as [number, number, number];
  const [directions, quarter, rows] = weights!.shape as [number, number, number, number];
  const hidden = initial!.shape[3]!;
  return { steps, batch, width, directions, quarter, rows, hidden, extra: rows - layout.length * hidden };
};

/** Constants of the activations: F, G and H with ALPHA and BETA each. */
function activationConstants(activations: readonly GateActivation[]): Record<string, string> {
  const constants: Record<string, string> = {};
  for (const [i, letter] of ['F', 'G', 'H'].entries()) {
    const given = activations[i] ?? activations[0]!;
    const { name, alpha, beta } = typeof given === 'string' ? { name: given } : given;
    const own = GATE_ACTIVATIONS[name]!;
    constants[letter] = u32(Object.keys(GATE_ACTIVATIONS).indexOf(name));
    constants[`${letter}_ALPHA`] = f32(alpha ?? own.alpha ?? 0);
    constants[`${letter}_BETA`] = f32(beta ?? own.beta ?? 0);
  }
  return constants;
}

/** Invocations of a workgroup at the most: WebGPU's limit on any device. */
const MOST = 256;

/** Lanes that have the states of a quad, one of its units each. */
const OWNERS = 4;

/** Lanes that share the sums of a quad, a power of two: as many as there is room for, 0 where not even the owners fit. */
function lanesOf(lines: number, gates: number, quarter: number, caps: Caps): number {
  const fits = (lanes: number): boolean =>
    lines * lanes <= Math.min(MOST, caps.maxInvocations) &&
    lanes <= Math.max(OWNERS, quarter) &&
    16 * (gates * lanes * lines + quarter) <= caps.maxWorkgroupStorageBytes;
  return [32, 16, 8, OWNERS].find(fits) ?? 0;
}

/**
 * recurrence: the steps of an LSTM, a GRU or a simple RNN, after the product of all inputs and the input weights.
 * `gates`: that product with its bias, [steps, batch, directions × gates × hidden]. `weights`: the recurrent weights
 * [directions, hidden/4, rows, 4], of block q the hidden units q, q + hidden/4 and so on, rounded up. Rows are the
 * gates, then three more of an LSTM with peepholes (i, o, f) or of a GRU whose recurrent bias applies to the products.
 * States are float32.
 */
export const recurrence = defineOp<RecurrenceOptions>({
  name: 'recurrence',
  operands: {
    gates: { types: FLOATS, rank: [3, 3] },
    weights: { as: 'gates', rank: [4, 4] },
    initial: { types: ['float32'], rank: [4, 4] },
    lengths: { types: ['int32'], rank: [1, 1] },
  },
  options: ['cell', 'direction', 'layout', 'activations', 'clip', 'resetAfter', 'inputForget'],
  results: ['sequence', 'states'],
  // Gates are rounded to the type in memory before the functions, a state after them.
  tolerance: { ulps: 64, roundings: 4 },
  values: (name, inputs) => (name === 'lengths' ? { low: 0, high: inputs['gates']!.shape[0]! } : undefined),
  infer(inputs, options) {
    const { steps, batch, width, directions, quarter, hidden, extra } = sizesOf(inputs, options);
    const { gates, weights, initial, lengths } = inputs;
    const { states, extra: most } = CELLS[options.cell];
    const expect = (name: string, found: Shape, wanted: Shape): void => {
      if (String(found) !== String(wanted))
        throw opError(
          'wrong-shape',
          'recurrence',
          `${name} is ${formatShape(found)}, expected ${formatShape(wanted)} for gates ${formatShape(gates!.shape)}`,
        );
    };
    expect('gates', [width], [directions * options.layout.length * hidden]);
    expect('weights', [quarter, weights!.shape[3]!], [Math.ceil(hidden / 4), 4]);
    expect('rows behind the gates', [extra], [extra && most]);
    expect('initial', initial!.shape, [states, directions, batch, hidden]);
    expect('lengths', lengths!.shape, [batch]);
    return [
      { dataType: gates!.dataType, shape: [steps, directions, batch, hidden] },
      { dataType: 'float32', shape: initial!.shape },
    ];
  },
  candidates(inputs, options, output, caps) {
    const { steps, batch, directions, quarter, rows, hidden, extra } = sizesOf(inputs, options);
    const { cell, direction, layout, activations, clip = 0, resetAfter = false, inputForget = false } = options;
    const type = ELEM[output.dataType]!;
    const before = cell === 'gru' && !resetAfter;
    const own = cell === 'gru' ? (before ? 'gru_before' : 'gru_after') : cell;
    const params = {
      first: 0,
      end: steps,
      steps,
      batch,
      directions,
      backward: Number(direction === 'backward'),
      hidden,
      quarter,
      rows,
    };
    const constants: Record<string, string> = {
      ...activationConstants(activations),
      CLIP: f32(clip),
      COUPLED: String(inputForget),
      PEEPHOLES: String(extra > 0),
      BIASED: String(extra > 0),
      STATES: u32(CELLS[cell].states),
      GATES: u32(layout.length),
      ...Object.fromEntries([...layout].map((name, i) => [`GATE_${name.toUpperCase()}`, u32(i)])),
    };
    const variant = (file: typeof kernel, state: string, name: string, lines: number, lanes: number): Variant => ({
      kernel: file,
      ports: [
        part(elem, type),
        part(functions, 'float'),
        gate,
        part(sums, lanes > 1 || state === 'walk' ? 'workgroup' : 'serial'),
        part(states, state),
        part(cells, name),
      ],
      constants: { ...constants, LINES: u32(lines), LANES: u32(lanes) },
    });
    const names = activations.map((given) => (typeof given === 'string' ? given : given.name));
    const label = (form: string, lines: number, lanes: number): string =>
      `recurrent[${[type, own, ...names, `${form}_${lines}x${lanes}`].join()}]`;

    /** A dispatch a step; two where the reset gate applies to the state that a product takes. */
    const stepped = (lines: number, lanes: number): Candidate => {
      const grid = [Math.ceil(quarter / lines), batch, directions] as const;
      const at = (step: number): string => ((steps - step) % 2 ? 'other' : 'states');
      const parts = Array.from({ length: steps }, (_, step): Part[] => {
        const one = { params: { ...params, first: step, end: step + 1 }, grid };
        const bind = { before: step ? at(step) : 'initial' };
        const main = { ...one, bind: { ...bind, after: at(step + 1), output: 'sequence' } };
        return before ? [{ ...one, variant: variant(resetKernel, 'step', own, lines, lanes), bind }, main] : [main];
      }).flat();
      const { shape } = inputs['initial']!;
      return {
        label: label('step', lines, lanes),
        variant: before
          ? variant(kernel, 'step_reset', 'gru_new', lines, lanes)
          : variant(kernel, 'step', own, lines, lanes),
        params,
        grid,
        parts,
        scratch: {
          ...(steps > 1 && { other: { dataType: 'float32', shape } }),
          ...(before && { reset: { dataType: 'float32', shape: shape.slice(1) } }),
        },
      };
    };
    /** One dispatch: a workgroup walks the steps of a sequence and a direction. */
    const walk = (): Candidate[] => {
      const lanes = lanesOf(quarter, layout.length, quarter, caps);
      if (!lanes) return [];
      return [
        {
          label: label('walk', quarter, lanes),
          variant: variant(kernel, 'walk', own, quarter, lanes),
          params,
          grid: [1, batch, directions],
          bind: { before: 'initial', after: 'states', output: 'sequence' },
        },
      ];
    };
    const serial = stepped(FLAT, 1);
    if (caps.software) return [serial, ...walk()];
    const lines = Math.min(4, quarter);
    const lanes = lanesOf(lines, layout.length, quarter, caps);
    const shared = lanes ? [stepped(lines, lanes)] : [];
    const last = caps.manyRegisters || !lanes ? [serial] : []; // all units of a quad are more than Intel's registers hold
    return hidden <= MOST ? [...walk(), ...shared, ...last] : [...shared, ...walk(), ...last];
  },
  cost(inputs, options) {
    const { steps, batch, directions, hidden } = sizesOf(inputs, options);
    const macs = steps * batch * directions * options.layout.length * hidden * hidden;
    return { macs, flops: 2 * macs };
  },
});
