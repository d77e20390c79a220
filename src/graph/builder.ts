import { TilewrightError } from '../errors.ts';
import type { Labelled, Op, OpDefinition } from '../ops/define.ts';
import type { core } from '../ops/groups/core.ts';
import { GROUPED } from '../ops/groups/names.ts';
import { OPS, opNamed } from '../ops/index.ts';
import { widen } from '../ops/widen.ts';
import { toDataType } from '../tensor/convert.ts';
import type { TensorSource } from '../tensor/source.ts';
import {
  byteLength,
  elementCount,
  formatTensor,
  type HostData,
  sameShape,
  type TensorDescriptor,
} from '../tensor/types.ts';
import type { GroupName, GroupOps } from './groups/index.ts';
import { type Graph, leaf, type Operand, operand, results } from './ir.ts';

type Both<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The definitions that a module exports, and those of its tables. */
type Definitions<Module> = keyof Module extends never
  ? never
  : Both<
      {
        [Name in keyof Module]: Module[Name] extends OpDefinition<infer _> ? Pick<Module, Name> : Module[Name];
      }[keyof Module]
    >;

/** The builder methods of definitions. */
type Methods<Table> = {
  readonly [Name in keyof Table as Table[Name] extends OpDefinition<infer _, infer Method>
    ? unknown extends Method
      ? never
      : Name
    : never]: Table[Name] extends OpDefinition<infer _, infer Method> ? Method : never;
};

type Ops = Methods<Definitions<typeof core> & Both<{ [Name in GroupName]: Definitions<GroupOps<Name>> }[GroupName]>>;

/** A method for every op: operands, then `args`, then an object of options. */
export interface GraphBuilder extends Omit<Ops, 'gelu' | 'gelu_tanh' | 'clamp'> {}

/**
 * Adds an op. `given`: the operands that may not be left out, the `args` of the definition, an object with the options
 * and the other operands. Error: `invalid-argument` for an option that the op does not have.
 */
function call(op: Op, given: readonly unknown[]): Operand | readonly Operand[] {
  const { name, operands, args = [], options: known = [] } = op;
  const values = [...given];
  const inputs: Record<string, Operand | undefined> = {};
  const optional: string[] = [];
  for (const [key, { optional: free, positional, list }] of Object.entries(operands)) {
    if (free && !positional) optional.push(key);
    else if (list)
      for (const [i, input] of (values.shift() as readonly Operand[]).entries()) inputs[`${key}${i}`] = input;
    else inputs[key] = values.shift() as Operand | undefined;
  }
  const options: Record<string, unknown> = {};
  for (const key of args) options[key] = values.shift();
  const { label, ...rest } = (values.shift() ?? {}) as Labelled & Record<string, unknown>;
  for (const [key, value] of Object.entries(rest)) {
    if (optional.includes(key)) inputs[key] = value as Operand | undefined;
    else if (known.includes(key)) options[key] = value;
    else
      throw new TilewrightError('invalid-argument', `${label ?? name}: ${name} has no option '${key}'`, {
        hint: `It has ${[...known, ...optional, 'label'].join(', ')}.`,
      });
  }
  for (const key of Object.keys(options)) if (options[key] === undefined) delete options[key];
  const made = results(name, inputs, options, label);
  return op.results ? made : made[0]!;
}

/**
 * Builds graphs under the names, arguments and semantics of WebNN's MLGraphBuilder. What WebNN lacks (attention,
 * scatterRows, sample, states) is named after ONNX. Types and shapes are checked at each call: a mistake throws where
 * it is made, with the numbers in the message.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods of ops are defined below, from their definitions.
export class GraphBuilder {
  readonly #inputs = new Map<string, Operand>();
  readonly #states = new Map<string, Operand>();

  /** A tensor that every run is given. Error: `invalid-graph` for a name that is taken. */
  input(name: string, descriptor: TensorDescriptor): Operand {
    const input = leaf('input', descriptor, { name });
    const known = this.#inputs.get(name);
    if (known)
      throw new TilewrightError(
        'invalid-graph',
        `two inputs are named '${name}': ${formatTensor(known)} and ${formatTensor(input)}`,
      );
    this.#inputs.set(name, input);
    return input;
  }

  /** A tensor that stays on the device from run to run: a KV cache. Zeros at first. The same name gives the same state. */
  state(name: string, descriptor: TensorDescriptor): Operand {
    const state = leaf('state', descriptor, { name });
    const known = this.#states.get(name) ?? state;
    if (known.dataType !== state.dataType || !sameShape(known.shape, state.shape))
      throw new TilewrightError(
        'wrong-shape',
        `state '${name}' is ${formatTensor(known)}, and now ${formatTensor(state)}`,
      );
    this.#states.set(name, known);
    return known;
  }

  /**
   * A tensor that no run changes, from an array or from a file. float16 and bfloat16 of a file become float32 on the
   * GPU.
   */
  constant(descriptor: TensorDescriptor, data: HostData): Operand;
  constant(source: TensorSource): Operand;
  constant(first: TensorDescriptor | TensorSource, data?: HostData): Operand {
    if (data) {
      const { dataType, shape } = first as TensorDescriptor;
      const bytes = Math.ceil(byteLength({ dataType, shape }));
      if (data.byteLength !== bytes) {
        throw new TilewrightError(
          'wrong-shape',
          `constant: ${formatTensor({ dataType, shape })} has ${bytes} bytes, the array ${data.byteLength}`,
        );
      }
      return leaf('constant', { dataType, shape }, { data });
    }
    const source = first as TensorSource;
    const { name, storedType, shape } = source;
    if (storedType === 'BF16' || storedType === 'F16') {
      const bits = leaf(
        'constant',
        { dataType: 'uint32', shape: [Math.ceil(elementCount(shape) / 2)] },
        { source },
        name,
      );
      return operand(
        widen.name,
        { input: bits },
        { from: storedType === 'F16' ? 'float16' : 'bfloat16', newShape: shape },
        name,
      );
    }
    return leaf('constant', { dataType: toDataType(storedType), shape }, { source }, name);
  }

  /** gelu by the error function; `approximate: 'tanh'` (ONNX) is GPT-2's. */
  gelu(input: Operand, { approximate, ...options }: { approximate?: 'none' | 'tanh' } & Labelled = {}): Operand {
    return call(opNamed(approximate === 'tanh' ? 'gelu_tanh' : 'gelu'), [input, options]) as Operand;
  }

  clamp(
    input: Operand,
    { minValue, maxValue, ...options }: { minValue?: number; maxValue?: number } & Labelled = {},
  ): Operand {
    return call(opNamed('clamp'), [input, { ...options, alpha: minValue, beta: maxValue }]) as Operand;
  }

  /** The graph that computes these outputs, by their names. */
  outputs(outputs: Readonly<Record<string, Operand>>): Graph {
    return { outputs };
  }
}

for (const name of [...OPS.keys(), ...Object.values(GROUPED).join(' ').split(' ')]) {
  if (name in GraphBuilder.prototype) continue;
  const method = (...given: readonly unknown[]) => call(opNamed(name), given);
  Object.defineProperty(GraphBuilder.prototype, name, { value: method });
}
