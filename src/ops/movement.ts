import concatKernel from '../../shaders/concat.wgsl';
import gatherKernel from '../../shaders/gather.wgsl';
import rowsKernel from '../../shaders/gather_rows.wgsl';
import bits from '../../shaders/lib/bits.wgsl';
import bitsOther from '../../shaders/lib/bits_other.wgsl';
import border from '../../shaders/lib/border.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import rowScale from '../../shaders/lib/row_scale.wgsl';
import store from '../../shaders/lib/store.wgsl';
import rearrangeKernel from '../../shaders/rearrange.wgsl';
import scatterKernel from '../../shaders/scatter_rows.wgsl';
import { part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { toHalf } from '../tensor/half.ts';
import {
  BYTES,
  broadcastShapes,
  type DataType,
  elementCount,
  formatShape,
  sameShape,
  stridesOf,
  type TensorDescriptor,
} from '../tensor/types.ts';
import {
  aroundAxis,
  type Candidate,
  defineOp,
  ELEM,
  FLAT,
  flatGrid,
  need,
  needAxis,
  type Op,
  opError,
  type Shape,
  splitItems,
} from './define.ts';
import { weightPorts, weightsOf, weightTags } from './weights.ts';

const width = (dataType: DataType): string => `b${8 * BYTES[dataType]}`;

function mover(
  name: string,
  kernel: WgslModule,
  { dataType, shape }: TensorDescriptor,
  params: Candidate['params'],
  ports: WgslModule[] = [],
): Candidate {
  const count = elementCount(shape);
  return {
    label: `${name}[${width(dataType)}]`,
    variant: { kernel, ports: [grid, part(bits, width(dataType)), ...ports], constants: { WG: u32(FLAT) } },
    params: { count, ...params },
    grid: flatGrid(Math.ceil(count / 4), FLAT),
  };
}

interface Axis {
  readonly size: number;
  readonly step: number;
  readonly start: number;
  /** Size in the input; what lies beyond is the border's. */
  readonly extent: number;
  readonly stride: number;
}

/** transpose, slice, pad, expand and reverse: one kernel that walks the input along `axes`, those of the output. */
function rearrange(
  name: string,
  output: TensorDescriptor,
  axes: readonly Axis[],
  mode = 'constant',
  fill = 0,
): Candidate[] {
  const walked = axes.filter(({ size, start }) => size > 1 || start !== 0);
  if (walked.length > 8) throw opError('wrong-shape', name, `${walked.length} axes longer than 1, 8 at most`);
  const params = {
    rank: walked.length,
    fill,
    unused: 0,
    axes: walked.flatMap(({ size, step, start, extent }) => [size, step, start, extent]),
    strides: walked.map(({ stride }) => stride),
  };
  return [mover(mode === 'constant' ? name : `${name}_${mode}`, rearrangeKernel, output, params, [part(border, mode)])];
}

/** The bits of a number in a data type. */
function bitsOf(dataType: DataType, value: number): number {
  if (dataType === 'float16') return toHalf(value);
  if (dataType === 'float32') return new Uint32Array(new Float32Array([value]).buffer)[0]!;
  return dataType.endsWith('8') ? value & 255 : value >>> 0;
}

export const transpose = defineOp<{ permutation?: readonly number[] }>({
  name: 'transpose',
  infer(inputs, options) {
    const { dataType, shape } = need(inputs, 'input', 'transpose');
    const permutation = options.permutation ?? shape.map((_, d) => shape.length - 1 - d);
    if (
      permutation.length !== shape.length ||
      new Set(permutation).size !== shape.length ||
      permutation.some((d) => !(d in shape))
    ) {
      throw opError(
        'invalid-argument',
        'transpose',
        `[${permutation.join(',')}] is no permutation of the axes of ${formatShape(shape)}`,
      );
    }
    return { dataType, shape: permutation.map((d) => shape[d]!) };
  },
  candidates(inputs, options, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const permutation = options.permutation ?? shape.map((_, d) => shape.length - 1 - d);
    return rearrange(
      'transpose',
      output,
      permutation.map((d) => ({ size: shape[d]!, step: 1, start: 0, extent: shape[d]!, stride: strides[d]! })),
    );
  },
});

export const slice = defineOp<{ starts: readonly number[]; sizes: readonly number[]; strides?: readonly number[] }>({
  name: 'slice',
  infer(inputs, { starts, sizes, strides = [] }) {
    const { dataType, shape } = need(inputs, 'input', 'slice');
    if (starts.length !== shape.length || sizes.length !== shape.length) {
      throw opError(
        'invalid-argument',
        'slice',
        `starts and sizes need ${shape.length} numbers, got ${starts.length} and ${sizes.length}`,
      );
    }
    shape.forEach((extent, d) => {
      if (starts[d]! < 0 || sizes[d]! < 1 || starts[d]! + sizes[d]! > extent) {
        throw opError(
          'invalid-argument',
          'slice',
          `[${starts[d]}, ${starts[d]! + sizes[d]!}) leaves dimension ${d} of ${formatShape(shape)}`,
        );
      }
    });
    return { dataType, shape: sizes.map((size, d) => Math.ceil(size / (strides[d] ?? 1))) };
  },
  candidates(inputs, { starts, strides = [] }, output) {
    const { shape } = inputs['input']!;
    const own = stridesOf(shape);
    return rearrange(
      'slice',
      output,
      output.shape.map((size, d) => ({
        size,
        step: strides[d] ?? 1,
        start: starts[d]!,
        extent: shape[d]!,
        stride: own[d]!,
      })),
    );
  },
});

export const reverse = defineOp<{ axes?: readonly number[] }>({
  name: 'reverse',
  infer: (inputs) => need(inputs, 'input', 'reverse'),
  candidates(inputs, { axes }, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const turned = (axes ?? shape.map((_, d) => d)).map((axis) => needAxis('reverse', axis, shape.length));
    return rearrange(
      'reverse',
      output,
      shape.map((size, d) => ({
        size,
        step: turned.includes(d) ? -1 : 1,
        start: turned.includes(d) ? size - 1 : 0,
        extent: size,
        stride: strides[d]!,
      })),
    );
  },
});

export type PadMode = 'constant' | 'edge' | 'reflection' | 'symmetric';

interface PadOptions {
  beginningPadding: readonly number[];
  endingPadding: readonly number[];
  mode?: PadMode;
  value?: number;
}

export const pad = defineOp<PadOptions>({
  name: 'pad',
  infer(inputs, { beginningPadding, endingPadding, mode = 'constant' }) {
    const { dataType, shape } = need(inputs, 'input', 'pad');
    if (beginningPadding.length !== shape.length || endingPadding.length !== shape.length) {
      throw opError(
        'invalid-argument',
        'pad',
        `paddings need ${shape.length} numbers, got ${beginningPadding.length} and ${endingPadding.length}`,
      );
    }
    shape.forEach((extent, d) => {
      const most = Math.max(beginningPadding[d]!, endingPadding[d]!);
      const reach = mode === 'reflection' ? extent - 1 : mode === 'symmetric' ? extent : Number.POSITIVE_INFINITY;
      if (most > reach)
        throw opError(
          'invalid-argument',
          'pad',
          `${mode} reaches ${reach} elements in dimension ${d} of ${formatShape(shape)}, padding is ${most}`,
        );
    });
    return { dataType, shape: shape.map((size, d) => size + beginningPadding[d]! + endingPadding[d]!) };
  },
  candidates(inputs, { beginningPadding, mode = 'constant', value = 0 }, output) {
    const { shape, dataType } = inputs['input']!;
    const strides = stridesOf(shape);
    const axes = output.shape.map((size, d) => ({
      size,
      step: 1,
      start: -beginningPadding[d]!,
      extent: shape[d]!,
      stride: strides[d]!,
    }));
    return rearrange('pad', output, axes, mode, bitsOf(dataType, value));
  },
});

export const expand = defineOp<{ newShape: Shape }>({
  name: 'expand',
  infer(inputs, { newShape }) {
    const { dataType, shape } = need(inputs, 'input', 'expand');
    if (!sameShape(broadcastShapes('expand', shape, newShape), newShape)) {
      throw opError('wrong-shape', 'expand', `${formatShape(shape)} does not expand to ${formatShape(newShape)}`);
    }
    return { dataType, shape: newShape };
  },
  candidates(inputs, _options, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const offset = output.shape.length - shape.length;
    const axes = output.shape.map((size, d) => {
      const own = shape[d - offset];
      return { size, step: own === size ? 1 : 0, start: 0, extent: own ?? 1, stride: strides[d - offset] ?? 0 };
    });
    return rearrange('expand', output, axes);
  },
});

export const reshape = defineOp<{ newShape: Shape }>({
  name: 'reshape',
  alias: 'input',
  infer(inputs, { newShape }) {
    const { dataType, shape } = need(inputs, 'input', 'reshape');
    if (elementCount(shape) !== elementCount(newShape)) {
      throw opError(
        'wrong-shape',
        'reshape',
        `${formatShape(shape)} has ${elementCount(shape)} elements, ${formatShape(newShape)} ${elementCount(newShape)}`,
      );
    }
    return { dataType, shape: newShape };
  },
});

/** concat of two along `axis`; more are a chain of these. */
export const concat = defineOp<{ axis: number }>({
  name: 'concat',
  infer(inputs, { axis }) {
    const [a, b] = [need(inputs, 'input', 'concat'), need(inputs, 'other', 'concat')];
    const at = needAxis('concat', axis, a.shape.length);
    if (a.dataType !== b.dataType)
      throw opError('wrong-type', 'concat', `operands are ${a.dataType} and ${b.dataType}`);
    if (a.shape.length !== b.shape.length || a.shape.some((size, d) => d !== at && size !== b.shape[d])) {
      throw opError(
        'wrong-shape',
        'concat',
        `${formatShape(a.shape)} and ${formatShape(b.shape)} differ elsewhere than in axis ${at}`,
      );
    }
    return { dataType: a.dataType, shape: a.shape.map((size, d) => (d === at ? size + b.shape[d]! : size)) };
  },
  candidates(inputs, { axis }, output) {
    const at = needAxis('concat', axis, output.shape.length);
    const inner = (name: string): number => inputs[name]!.shape.slice(at).reduce((x, y) => x * y, 1);
    return [
      mover('concat', concatKernel, output, { a: inner('input'), b: inner('other') }, [
        part(bitsOther, width(output.dataType)),
      ]),
    ];
  },
});

/**
 * gather: the slices of `axis` that the indices name; an index is clamped to the axis, a negative one counts from its end.
 * `dataType` is float32 for a table of float16, or of int8 or int4 with `scales`.
 */
export const gather = defineOp<{ axis?: number; dataType?: 'float32' }>({
  name: 'gather',
  infer(inputs, { axis = 0, dataType }) {
    const [input, indices] = [need(inputs, 'input', 'gather'), need(inputs, 'indices', 'gather')];
    if (indices.dataType !== 'int32' && indices.dataType !== 'uint32')
      throw opError('wrong-type', 'gather', `indices are ${indices.dataType}, expected int32 or uint32`);
    const at = needAxis('gather', axis, input.shape.length);
    if (inputs['scales'] && at !== 0)
      throw opError('invalid-argument', 'gather', `scales are one a row: axis 0 is expected, got ${at}`);
    const shape = [...input.shape.slice(0, at), ...indices.shape, ...input.shape.slice(at + 1)];
    return { dataType: dataType ?? (inputs['scales'] ? 'float32' : input.dataType), shape };
  },
  candidates(inputs, { axis = 0 }, output) {
    const { shape } = inputs['input']!;
    const at = needAxis('gather', axis, shape.length);
    const { outer, size, stride } = aroundAxis(shape, at);
    const count = elementCount(inputs['indices']!.shape);
    const general = mover('gather', gatherKernel, output, { axis: size, inner: stride, indices: count });
    const type = ELEM[output.dataType];
    if (outer !== 1 || !type) return [general];
    const unit = stride % 4 === 0 ? 'vec4' : 'ragged';
    const weights = weightsOf('gather', inputs, 'input', output.dataType, size, stride);
    const { kind, group } = weights;
    const rows: Candidate = {
      label: `gather_rows[${[type, ...weightTags(weights), ...(unit === 'ragged' ? ['ragged'] : [])]}]`,
      variant: {
        kernel: rowsKernel,
        ports: [
          grid,
          part(elem, type),
          ...weightPorts(weights, unit, 'runtime'),
          part(rowScale, group ? 'group' : inputs['scales'] ? 'row' : 'none'),
          part(store, unit),
        ],
        constants: { WG: u32(FLAT), ...(group && { GROUP: u32(group) }) },
      },
      params: { count, rows: size, width: stride, first: 0, bound: size },
      grid: flatGrid(count * Math.ceil(stride / 4), FLAT),
      bind: { b: 'input' },
    };
    return kind === 'dense' ? [rows, general] : [rows];
  },
  pieces(candidate, inputs, { axis = 0 }, _output, limit) {
    const { dataType, shape } = inputs['input']!;
    const { size, stride } = aroundAxis(shape, needAxis('gather', axis, shape.length));
    if (!('bound' in candidate.params))
      throw opError('wrong-shape', 'gather', `a table of ${formatShape(shape)} can be cut by rows of floats only`);
    const { scales } = inputs;
    const bytes = { b: stride * BYTES[dataType], ...(scales && { scales: 4 * (elementCount(scales.shape) / size) }) };
    return splitItems(
      size,
      bytes,
      limit,
      (first, bound) => ({ params: { ...candidate.params, first, bound } }),
      candidate,
    );
  },
  cost(inputs, _options, output) {
    const { dataType } = inputs['input']!;
    return { macs: 0, flops: 0, bytes: elementCount(output.shape) * (BYTES[dataType] + BYTES[output.dataType]) };
  },
});

/** scatterRows: state[positions[t]] = columns column.. of updates[t]: how a KV cache grows. The output is the state itself. */
export const scatterRows = defineOp<{ column?: number }>({
  name: 'scatterRows',
  inPlace: 'state',
  infer(inputs, { column = 0 }) {
    const [state, updates, positions] = ['state', 'updates', 'positions'].map((name) =>
      need(inputs, name, 'scatterRows'),
    ) as [TensorDescriptor, TensorDescriptor, TensorDescriptor];
    const [count, row] = updates.shape.slice(-2) as [number, number];
    if (state.shape.length !== 2 || column + state.shape[1]! > row) {
      throw opError(
        'wrong-shape',
        'scatterRows',
        `columns ${column}.. of ${formatShape(updates.shape)} do not fill rows of ${formatShape(state.shape)}`,
      );
    }
    if (elementCount(positions.shape) !== count || positions.dataType !== 'uint32') {
      throw opError(
        'wrong-shape',
        'scatterRows',
        `positions is ${positions.dataType}${formatShape(positions.shape)}, expected uint32[${count}]`,
      );
    }
    return state;
  },
  candidates(inputs, { column = 0 }, output) {
    const [rows, columns] = output.shape as [number, number];
    const [count, row] = inputs['updates']!.shape.slice(-2) as [number, number];
    const type = ELEM[output.dataType]!;
    return [
      {
        label: `scatterRows[${type}]`,
        variant: { kernel: scatterKernel, ports: [grid, part(elem, type)], constants: { WG: u32(FLAT) } },
        params: { count, rows, width: columns, row, column },
        grid: flatGrid(count * columns, FLAT),
      },
    ];
  },
  cost(inputs, _options, output) {
    const count = inputs['updates']!.shape.at(-2)!;
    return { macs: 0, flops: 0, bytes: 2 * count * output.shape[1]! * BYTES[output.dataType] };
  },
});

export const movements: readonly Op[] = [transpose, slice, reverse, pad, expand, reshape, concat, gather, scatterRows];
