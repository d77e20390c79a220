import { SCALES, type Tolerance, type Values } from '../ops/define.ts';
import type { DataType } from '../tensor/types.ts';

export type { Tolerance, Values };

export interface TensorSpec {
  readonly shape: readonly number[];
  /** Absent: the float type of the run, float32 or float16. */
  readonly dataType?: DataType;
  readonly values?: Values;
  /** A constant or a state of the graph; an input where absent. */
  readonly role?: 'constant' | 'state';
}

/** A tensor; a shape of random floats; or the name of another input of the case, which is given twice. */
export type InputSpec = readonly number[] | TensorSpec | string;

/** An op, options, and shapes of its inputs. Every candidate of the op is tested on it. */
export interface OpCase {
  readonly op: string;
  readonly title: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly options: object;
  readonly tolerance: Tolerance | undefined;
  /** Does not run in float16. */
  readonly float32Only: boolean;
}

const isShape = (spec: TensorSpec | readonly number[]): spec is readonly number[] => Array.isArray(spec);

/** The tensor of an input. */
export function specOf({ inputs }: OpCase, name: string): TensorSpec {
  const spec = inputs[name]!;
  if (typeof spec !== 'string') return isShape(spec) ? { shape: spec } : spec;
  return specOf({ inputs } as OpCase, spec);
}

const formatOption = (value: unknown): string =>
  JSON.stringify(value, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v)).replaceAll('"', '');

/** Makes a case. Its title is the op, shapes and options. */
export function test(
  op: string,
  inputs: OpCase['inputs'],
  options: object = {},
  { note, tolerance, float32Only = false }: { note?: string; tolerance?: Tolerance; float32Only?: boolean } = {},
): OpCase {
  const operands = Object.keys(inputs).map((name) => {
    if (typeof inputs[name] === 'string') return `${name}=${inputs[name]}`;
    const { shape, dataType = '', role, values } = specOf({ inputs } as OpCase, name);
    return `${name}:${role ? `${role} ` : ''}${values === 'special' ? 'special ' : ''}${dataType}[${shape}]`;
  });
  const settings = Object.keys(options).length ? [formatOption(options)] : [];
  return {
    op,
    title: [op, ...operands, ...settings, ...(note ? [`(${note})`] : [])].join(' '),
    inputs,
    options,
    tolerance,
    float32Only,
  };
}

/** Cases in float32 only: their kernels take seconds to compile, and other cases cover float16. */
export const inFloat32 = (cases: readonly OpCase[]): OpCase[] =>
  cases.map((other) => ({ ...other, float32Only: true }));

export const int8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'int8' });
/** Constants: int4, and the bits of float16. */
export const int4 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'int4x8', role: 'constant' });
export const half = (...shape: number[]): TensorSpec => ({ shape, dataType: 'float16', role: 'constant' });
/** Inputs in float16, whatever the float type of the run. */
export const float16 = (shape: readonly number[], values?: Values): TensorSpec => ({
  shape,
  dataType: 'float16',
  ...(values && { values }),
});
export const int32 = (shape: readonly number[], values?: Values): TensorSpec => ({
  shape,
  dataType: 'int32',
  ...(values && { values }),
});
export const uint32 = (shape: readonly number[], values?: Values): TensorSpec => ({
  shape,
  dataType: 'uint32',
  ...(values && { values }),
});
export const float32 = (shape: readonly number[], values?: Values): TensorSpec => ({
  shape,
  dataType: 'float32',
  ...(values && { values }),
});
/** Scales of quantised weights: float32, whatever the activations are. */
export const scales = (...shape: number[]): TensorSpec => float32(shape, SCALES);
export const valued = (shape: readonly number[], values: Values): TensorSpec => ({ shape, values });
export const special = (...shape: number[]): TensorSpec => valued(shape, 'special');
export const positive = (...shape: number[]): TensorSpec => valued(shape, 'positive');
export const constant = (...shape: number[]): TensorSpec => ({ shape, role: 'constant' });
