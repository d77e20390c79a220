import type { Caps } from '../gpu/gpu.ts';
import { FLOATS, NUMBERS, type OperandSpec } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import type { DataType } from '../tensor/types.ts';
import { DATA_TYPES, MAX_RANK, type MLOperandDataType } from './data.ts';
import { OP_OPTIONS, operandsOf } from './ops.ts';

/** Dimensions: at the least, at the most. */
export interface MLRankRange {
  min: number;
  max: number;
}

/** Types and ranks that an operand may have. */
export interface MLTensorLimits {
  dataTypes: MLOperandDataType[];
  /** Absent for results: the operands say it. */
  rankRange?: MLRankRange;
}

/** Limits of an op by the names of its operands, and `output` or `outputs`. */
export type MLOpLimits = Record<string, MLTensorLimits>;

/** What all ops share. */
export interface MLSupportLimits {
  preferredInputLayout: 'nchw' | 'nhwc';
  maxTensorByteLength: number;
  input: MLTensorLimits;
  constant: MLTensorLimits;
  output: MLTensorLimits;
}

/** Types and ranks by op and operand. */
export type MLOpSupportLimits = MLSupportLimits & Readonly<Record<string, MLOpLimits>>;

/** The types of results that differ from those of the first operand. */
const RESULTS: Readonly<Record<string, readonly DataType[]>> = {
  argMax: ['int32', 'int64'],
  argMin: ['int32', 'int64'],
  cast: NUMBERS,
  dequantizeLinear: FLOATS,
  quantizeLinear: ['int8', 'uint8', 'int32', 'int4', 'uint4'],
  where: NUMBERS,
};

/** Ops whose results are truth values. */
const TRUTHS: ReadonlySet<string> = new Set([
  'equal',
  'notEqual',
  'greater',
  'greaterOrEqual',
  'lesser',
  'lesserOrEqual',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
  'logicalNot',
  'isNaN',
  'isInfinite',
]);

/** The op's types that the standard has. */
const typesOf = (types: readonly DataType[] = DATA_TYPES): MLOperandDataType[] =>
  DATA_TYPES.filter((type) => types.includes(type));

function limitsOf(op: string): MLOpLimits {
  const operands = operandsOf(op);
  const { results } = opNamed(op);
  const [first] = operands[0]!;
  const specOf = (name: string | undefined): OperandSpec | undefined => operands.find(([other]) => other === name)?.[1];
  const firstTypes = specOf(first)!.types;
  const limits = operands.map(([name, spec]): [string, MLTensorLimits] => {
    const [min, max] = spec.rank ?? [0, MAX_RANK];
    const types = spec.types ?? specOf(spec.as)?.types ?? firstTypes;
    return [
      spec.list ? `${name}s` : name,
      { dataTypes: typesOf(types), rankRange: { min, max: Math.min(max, MAX_RANK) } },
    ];
  });
  const types = TRUTHS.has(op) ? (['uint8'] as const) : (RESULTS[op] ?? firstTypes);
  return Object.fromEntries([...limits, [results ? 'outputs' : 'output', { dataTypes: typesOf(types) }]]);
}

/** Bytes of a tensor at the most. */
export const maxTensorBytes = ({ maxBindingBytes, maxBufferBytes }: Caps): number =>
  Math.min(maxBindingBytes, maxBufferBytes);

/** What a device can do, by the definitions of the ops. */
export function supportLimits(caps: Caps): MLOpSupportLimits {
  const any = (): MLTensorLimits => ({ dataTypes: [...DATA_TYPES], rankRange: { min: 0, max: MAX_RANK } });
  return Object.assign(
    {
      preferredInputLayout: 'nhwc' as const,
      maxTensorByteLength: maxTensorBytes(caps),
      input: any(),
      constant: any(),
      output: any(),
    },
    Object.fromEntries(Object.keys(OP_OPTIONS).map((op) => [op, limitsOf(op)])),
  ) as MLOpSupportLimits;
}
