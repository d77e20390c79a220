import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { known, type Tensor } from '../values.ts';
import { mul } from './math.ts';

/** a0 - a1 cos(x) + a2 cos(2x) over `size` numbers. */
const cosines =
  (a0: number, a1: number, a2 = 0): Lowering =>
  (call) => {
    const size = Number(call.scalar(0));
    const type = call.typeNamed(call.int('output_datatype', 1));
    const length = call.flag('periodic', true) ? size : size - 1;
    const values = call.list(size, (i) => {
      const x = (2 * Math.PI * i) / length;
      return a0 - a1 * Math.cos(x) + a2 * Math.cos(2 * x);
    });
    return known(type, [size], values);
  };

/** cos and sin of a discrete Fourier transform from `size` to `bins` numbers: [size, bins]. */
function waves(call: Call, size: number, bins: number, inverse: boolean): readonly [cos: Operand, sin: Operand] {
  const angle = (flat: number): number => {
    const [i, k] = [Math.floor(flat / bins), flat % bins];
    return ((inverse ? 2 : -2) * Math.PI * ((i * k) % size)) / size;
  };
  const table = (f: (x: number) => number): Operand =>
    call.constant(
      'float',
      [size, bins],
      call.list(size * bins, (i) => f(angle(i))),
    );
  return [table(Math.cos), table(Math.sin)];
}

/** The transform of the last axis of a real and an imaginary part; [.., bins, 2]. */
function transform(call: Call, real: Operand, imaginary: Operand | undefined, bins: number, inverse: boolean): Operand {
  const size = real.shape.at(-1)!;
  const [cos, sin] = waves(call, size, bins, inverse);
  const product = (a: Operand, b: Operand): Operand => call.add('matmul', { a, b });
  const re = product(real, cos);
  const im = product(real, sin);
  const made = imaginary
    ? [call.add('sub', { a: re, b: product(imaginary, sin) }), call.add('add', { a: im, b: product(imaginary, cos) })]
    : [re, im];
  const parts = made.map((part) => call.reshape(inverse ? mul(call, part, 1 / size) : part, [...part.shape, 1]));
  return call.add('concat', { input0: parts[0]!, input1: parts[1]! }, { axis: real.shape.length });
}

/** The first `size` elements of the last axis; zeros follow where there are fewer. */
function fitted(call: Call, input: Operand, size: number): Operand {
  const own = input.shape.at(-1)!;
  const zeros = input.shape.map(() => 0);
  if (own === size) return input;
  if (own < size)
    return call.add('pad', { input }, { beginningPadding: zeros, endingPadding: zeros.with(-1, size - own) });
  return call.add('slice', { input }, { starts: zeros, sizes: input.shape.with(-1, size) });
}

function dft(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const rank = shape.length;
  const [inverse, onesided] = [call.flag('inverse'), call.flag('onesided')];
  const given = call.opset < 20 ? call.int('axis', 1) : call.optional(2) ? Number(call.scalar(2)) : -2;
  const axis = call.axis(given, rank);
  if (axis >= rank - 1) call.fail(`axis ${given} of [${shape}], whose last is of real and imaginary parts`);
  const length = call.optional(1) ? Number(call.scalar(1)) : shape[axis]!;
  if (inverse && onesided) call.unsupported('the inverse of one side');
  const input = call.operand(0);
  // The axis goes to the end, and real and imaginary parts apart.
  const others = shape.slice(0, -1).map((_, d) => d);
  const order = [...others.filter((d) => d !== axis), axis];
  const part = (i: number): Operand => {
    const starts = shape.map((_, d) => (d === rank - 1 ? i : 0));
    const cut = call.add('slice', { input }, { starts, sizes: shape.with(-1, 1) });
    return fitted(call, call.transpose(call.reshape(cut, shape.slice(0, -1)), order), length);
  };
  const bins = onesided ? Math.floor(length / 2) + 1 : length;
  const made = transform(call, part(0), shape.at(-1) === 2 ? part(1) : undefined, bins, inverse);
  const back = others.map((d) => order.indexOf(d));
  return call.made(call.transpose(made, [...back, rank - 1]));
}

function stft(call: Call): Tensor {
  const input = call.operand(0);
  const [batch, samples] = input.shape as [number, number];
  const step = Number(call.scalar(1));
  const window = call.optional(2) && call.operand(2);
  const length = call.optional(3) ? Number(call.scalar(3)) : (window?.shape[0] ?? call.fail('no frame length'));
  const onesided = call.flag('onesided', true);
  if (input.shape.length === 3 && input.shape[2] !== 1) call.unsupported('a complex signal');
  const frames = Math.floor((samples - length) / step) + 1;
  const places = call.list(frames * length, (i) => Math.floor(i / length) * step + (i % length));
  const indices = call.constant('int32', [frames, length], places);
  const cut = call.add('gather', { input: call.reshape(input, [batch, samples]), indices }, { axis: 1 });
  const shaped = window ? mul(call, cut, window) : cut;
  return call.made(transform(call, shaped, undefined, onesided ? Math.floor(length / 2) + 1 : length, false));
}

/** Triangles over the bins of a spectrum, evenly apart on the mel scale. */
function melWeightMatrix(call: Call): Tensor {
  const [bands, length, rate, low, high] = [0, 1, 2, 3, 4].map((i) => Number(call.scalar(i))) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const type = call.typeNamed(call.int('output_datatype', 1));
  const bins = Math.floor(length / 2) + 1;
  const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const [from, to] = [mel(low), mel(high)];
  const edges = call.list(bands + 2, (i) => {
    const hertz = 700 * (10 ** ((from + (i * (to - from)) / (bands + 2)) / 2595) - 1);
    return Math.floor(((length + 1) * hertz) / rate);
  });
  const values = call.list(bins * bands, (flat) => {
    const [bin, band] = [Math.floor(flat / bands), flat % bands];
    const [start, centre, end] = edges.slice(band, band + 3) as [number, number, number];
    if (bin >= start && bin < centre) return (bin - start) / (centre - start);
    if (bin === centre && centre === start) return 1;
    return bin >= centre && bin < end ? (end - bin) / (end - centre) : 0;
  });
  return known(type, [bins, bands], values);
}

export const SIGNAL: Readonly<Record<string, Lowering>> = {
  HannWindow: cosines(0.5, 0.5),
  HammingWindow: cosines(25 / 46, 21 / 46),
  BlackmanWindow: cosines(0.42, 0.5, 0.08),
  DFT: dft,
  STFT: stft,
  MelWeightMatrix: melWeightMatrix,
};
