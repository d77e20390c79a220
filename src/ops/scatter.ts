import binaryParts from '../../shaders/lib/binary.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import hits from '../../shaders/lib/hits.wgsl';
import overwrite from '../../shaders/lib/overwrite.wgsl';
import result from '../../shaders/lib/result.wgsl';
import targets from '../../shaders/lib/scatter_targets.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import updatesModule from '../../shaders/lib/updates.wgsl';
import elementsKernel from '../../shaders/scatter_elements.wgsl';
import linkKernel from '../../shaders/scatter_link.wgsl';
import ndKernel from '../../shaders/scatter_nd.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { type ParamValues, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import {
  byteLength,
  elementCount,
  formatShape,
  isFloat,
  sameShape,
  stridesOf,
  type TensorDescriptor,
} from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  FACTORS,
  FLAT,
  flatGrid,
  INDICES,
  type Inputs,
  type Labelled,
  NUMBERS,
  type Operand,
  type Operands,
  opError,
  type Part,
  type Shape,
  SUM,
} from './define.ts';
import { indexedAxis } from './gather_elements.ts';
import { placeOf } from './place.ts';
import { type Slices, sliceParams, slicePorts, slicesOf } from './slices.ts';

const REDUCTIONS = ['none', 'add', 'mul', 'max', 'min'] as const;
type Reduction = (typeof REDUCTIONS)[number];

interface ScatterOptions {
  /** ONNX': what an update does to the element that it hits; `none` (where absent) takes its place. */
  reduction?: Reduction;
}

const OPERANDS = { input: { types: NUMBERS }, indices: { types: INDICES }, updates: { as: 'input' } } as const;

/** Checks the reduction and the shape of the updates. */
function check(
  op: string,
  { input, updates }: Inputs,
  { reduction = 'none' }: ScatterOptions,
  expected: Shape,
): TensorDescriptor {
  if (!REDUCTIONS.includes(reduction))
    throw opError('invalid-argument', op, `reduction is ${reduction}, expected ${REDUCTIONS.join(' or ')}`);
  if (reduction === 'mul' && !FACTORS.includes(input!.dataType))
    throw opError('wrong-type', op, `input is ${input!.dataType}, expected ${FACTORS.join(' or ')} for products`);
  if (!sameShape(updates!.shape, expected))
    throw opError('wrong-shape', op, `updates is ${formatShape(updates!.shape)}, expected ${formatShape(expected)}`);
  return input!;
}

/**
 * Updates of a line up to which an element looks at all of them. Rows of 16 into [4096, 16] on llvmpipe 25.0 in Dawn,
 * 2026-11-28, searched against chained: 4 rows take 170 and 209 ms, 16 take 146 and 88, 256 take 874 and 134.
 */
const MOST_SEARCHED = 16;

/** Updates of one kind: lines that have `length` each, which hit `extent` places of their own. */
interface Lines {
  readonly lines: number;
  readonly length: number;
  readonly extent: number;
}

/**
 * An element finds the updates that hit it by looking at all of its line, or along a chain that is linked before: of
 * each line by one invocation. Chains are the guess where a line has many updates.
 */
function scatterCandidates(
  op: string,
  kernel: WgslModule,
  { dataType, shape }: TensorDescriptor,
  { reduction = 'none' }: ScatterOptions,
  caps: Caps,
  ports: readonly WgslModule[],
  { lines, length, extent }: Lines,
  params: ParamValues,
  linkParams: ParamValues,
): Candidate[] {
  const count = elementCount(shape);
  const form = (kind: 'searched' | 'chained'): Candidate => ({
    label: `${op}_${kind}[${dataType},${reduction}]`,
    variant: {
      kernel,
      ports: [
        grid,
        part(stored, dataType),
        part(result, dataType),
        part(functions, isFloat(dataType) ? 'float' : 'integer'),
        reduction === 'none' ? overwrite : part(binaryParts, reduction),
        updatesModule,
        part(hits, kind),
        ...ports,
      ],
      constants: { WG: u32(FLAT) },
    },
    params: { count, length, extent, ...params },
    grid: flatGrid(Math.ceil(count / 4), FLAT),
  });
  const link: Part = {
    variant: { kernel: linkKernel, ports: [grid, ...ports], constants: { WG: u32(FLAT) } },
    params: { lines, length, extent, stride: 0, rank: 0, axes: new Array<number>(8).fill(0), ...linkParams },
    grid: flatGrid(lines, FLAT),
  };
  const word = (...shape: number[]): TensorDescriptor => ({ dataType: 'uint32', shape });
  const scratch = { heads: word(lines, extent), links: word(lines, length) };
  const fits = Object.values(scratch).every((words) => byteLength(words) <= caps.maxBindingBytes);
  const searched = form('searched');
  if (!fits || !(caps.longLoops || length < 2 ** 16)) return [searched];
  const chained = { ...form('chained'), parts: [link, {}], scratch };
  return length < MOST_SEARCHED ? [searched, chained] : [chained, searched];
}

/** Without updates the input is the output. */
const unlessUpdated = ({ input, updates }: Operands): Operand | undefined =>
  elementCount(updates!.shape) ? undefined : input;

interface ScatterElementsOptions extends ScatterOptions {
  axis?: number;
}

type ScatterElements = (
  input: Operand,
  indices: Operand,
  updates: Operand,
  options?: ScatterElementsOptions & Labelled,
) => Operand;

/**
 * scatterElements: the input, where each update hits the element at its own coordinates, but for `axis` (0 where
 * absent), where its index says which. An index is clamped to the axis; a negative one counts from the end. Updates of
 * one element take effect in their order.
 */
export const scatterElements = defineOp<ScatterElementsOptions, ScatterElements>({
  name: 'scatterElements',
  operands: OPERANDS,
  options: ['axis', 'reduction'],
  tolerance: SUM,
  values: (name, { input }, { axis = 0 }) =>
    name === 'indices' ? { low: 0, high: input!.shape.at(axis)! - 1 } : undefined,
  infer(inputs, options) {
    indexedAxis('scatterElements', inputs, options.axis ?? 0);
    return check('scatterElements', inputs, options, inputs['indices']!.shape);
  },
  decompose: unlessUpdated,
  candidates(inputs, options, output, caps) {
    const indices = inputs['indices']!;
    const at = indexedAxis('scatterElements', inputs, options.axis ?? 0);
    const strides = stridesOf(indices.shape);
    const [length, stride] = [indices.shape[at]!, strides[at]!];
    const lines = { lines: elementCount(indices.shape) / length, length, extent: output.shape[at]! };
    const params = {
      rank: output.shape.length,
      stride,
      axes: output.shape.flatMap((size, d) =>
        d === at ? [size, size, 0, 1] : [size, indices.shape[d]!, strides[d]!, 0],
      ),
    };
    const ports = [placeOf(indices), part(targets, 'elements')];
    return scatterCandidates('scatterElements', elementsKernel, output, options, caps, ports, lines, params, {
      stride,
    });
  },
});

const axesOf = (inputs: Inputs): Slices => slicesOf('scatterND', inputs);

type ScatterND = (input: Operand, indices: Operand, updates: Operand, options?: ScatterOptions & Labelled) => Operand;

/**
 * scatterND: the input [axes.., slice..], where updates [..., slice..] hit the slices that indices [..., number of axes]
 * name. A coordinate is clamped to its axis; a negative one counts from the end. Updates of one slice take effect in
 * their order.
 */
export const scatterND = defineOp<ScatterOptions, ScatterND>({
  name: 'scatterND',
  operands: { ...OPERANDS, indices: { types: INDICES, rank: [1, Number.POSITIVE_INFINITY] } },
  options: ['reduction'],
  tolerance: SUM,
  values: (name, inputs) => (name === 'indices' ? { low: 0, high: Math.max(...axesOf(inputs).named) - 1 } : undefined),
  infer: (inputs, options) =>
    check('scatterND', inputs, options, [...inputs['indices']!.shape.slice(0, -1), ...axesOf(inputs).slice]),
  decompose: unlessUpdated,
  candidates(inputs, options, output, caps) {
    const slices = axesOf(inputs);
    const length = elementCount(inputs['indices']!.shape.slice(0, -1));
    const lines = { lines: 1, length, extent: elementCount(slices.named) };
    const params = sliceParams(slices);
    const ports = [...slicePorts(inputs), part(targets, 'slices')];
    return scatterCandidates('scatterND', ndKernel, output, options, caps, ports, lines, params, params);
  },
});
