import { TilewrightError } from '../errors.ts';
import {
  ONNX_TYPES,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
} from '../formats/onnx-model.ts';
import { type Operand, operand, results } from '../graph/ir.ts';
import type { DataType } from '../tensor/types.ts';
import { known, MOST_KNOWN, onDevice, type Scalar, type Tensor, typeOf, type Value } from './values.ts';

/** Numbers that are only on the device, and decide what comes next. */
export class NeedsNumbers extends TilewrightError {
  constructor(
    readonly tensor: Tensor,
    /** A name that is the same whenever this graph is lowered. */
    readonly key: string,
  ) {
    super('invalid-graph', `${key}: its numbers are known on the device only`);
  }
}

/** What a call needs of the graph that it is in. */
export interface Scope {
  /** The operand of a tensor; numbers of the host go to the device. */
  operand(tensor: Tensor, label: string): Operand;
  /** The numbers of a tensor. Error: `NeedsNumbers`. */
  known(tensor: Tensor, key: string): readonly Scalar[];
  /** Runs another graph inside this one, on values. */
  inline(graph: OnnxGraph, inputs: readonly Value[], label: string): Value[];
  /** A tensor of the file. */
  tensorOf(file: OnnxTensor): Tensor;
  /** Numbers of a run that have to be 0: where one is not, the run ends with an error that names `label`. */
  expectZeros(flags: Operand, label: string): void;
  readonly opsets: ReadonlyMap<string, number>;
}

/** Numbers that an op may have of its own: a mask of 4096 by 4096. */
const MOST_OWN = 2 ** 24;

type Attributes = ReadonlyMap<string, OnnxAttribute>;

/**
 * A node that is being lowered: its inputs, its attributes, and the ops that it becomes. An attribute that nobody asks
 * for is an error in the end (`finish`).
 */
export class Call {
  constructor(
    readonly node: OnnxNode,
    /** Unique among all nodes. */
    readonly label: string,
    readonly inputs: readonly (Value | undefined)[],
    private readonly attributes: Attributes,
    readonly scope: Scope,
    /** Attributes that were asked for, by this call or by those of the same node on other inputs. */
    private readonly asked = new Set<string>(),
  ) {}

  get opset(): number {
    return this.scope.opsets.get(this.node.domain) ?? 1;
  }

  fail(message: string): never {
    throw new TilewrightError('invalid-graph', `${this.label} (${this.node.op}): ${message}`);
  }

  unsupported(message: string): never {
    throw new TilewrightError('unsupported-option', `${this.label} (${this.node.op}): ${message}`);
  }

  /** The same node on other inputs. */
  of(inputs: readonly Value[]): Call {
    return new Call(this.node, this.label, inputs, this.attributes, this.scope, this.asked);
  }

  // Inputs.

  value(i: number): Value {
    return this.inputs[i] ?? this.fail(`input ${i} is missing`);
  }

  tensor(i: number): Tensor {
    return this.optional(i) ?? this.fail(`input ${i} is missing`);
  }

  optional(i: number): Tensor | undefined {
    const value = this.inputs[i];
    if (value === undefined || value.kind === 'nothing') return undefined;
    if (value.kind !== 'tensor') this.fail(`input ${i} is a ${value.kind}, expected a tensor`);
    return value as Tensor;
  }

  /** All inputs: one at least. */
  all(): Tensor[] {
    this.tensor(0);
    return this.inputs.map((_, i) => this.tensor(i));
  }

  operand(at: number | Tensor): Operand {
    return this.scope.operand(typeof at === 'number' ? this.tensor(at) : at, this.label);
  }

  optionalOperand(i: number): Operand | undefined {
    const tensor = this.optional(i);
    return tensor && this.scope.operand(tensor, this.label);
  }

  known(i: number): readonly Scalar[] {
    const tensor = this.tensor(i);
    return tensor.known ?? this.scope.known(tensor, `${this.label}, input ${i}`);
  }

  /** Known numbers as JavaScript's. */
  numbers(i: number): number[] {
    return this.known(i).map(Number);
  }

  scalar(i: number): Scalar {
    const values = this.known(i);
    if (values.length !== 1) this.fail(`input ${i} has ${values.length} elements, expected one`);
    return values[0]!;
  }

  /** The number of an optional input; of the attribute `name` in versions that have one. */
  bound(i: number, name: string): Scalar | undefined {
    if (this.optional(i)) return this.scalar(i);
    return this.floatOr(name);
  }

  // Attributes.

  #attribute(name: string): OnnxAttribute | undefined {
    this.asked.add(name);
    return this.attributes.get(name);
  }

  /** These change nothing here. */
  skip(...names: string[]): void {
    for (const name of names) this.asked.add(name);
  }

  intOr(name: string): number | undefined {
    const value = this.#attribute(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'bigint') return this.fail(`${name} is no integer`);
    return Number(value);
  }

  int(name: string, otherwise?: number): number {
    return this.intOr(name) ?? otherwise ?? this.fail(`the attribute ${name} is missing`);
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, Number(otherwise)) !== 0;
  }

  ints(name: string, otherwise: readonly number[]): number[];
  ints(name: string, otherwise: undefined): number[] | undefined;
  ints(name: string, otherwise: readonly number[] | undefined): number[] | undefined {
    const value = this.#attribute(name);
    if (value === undefined) return otherwise && [...otherwise];
    if (!Array.isArray(value)) return this.fail(`${name} is no list`);
    if (!value.every((one) => typeof one === 'bigint')) this.fail(`${name} is no list of integers`);
    return (value as readonly bigint[]).map(Number);
  }

  floatOr(name: string): number | undefined {
    const value = this.#attribute(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number') return this.fail(`${name} is no number`);
    return value;
  }

  float(name: string, otherwise: number): number {
    return this.floatOr(name) ?? otherwise;
  }

  floats(name: string): number[] | undefined {
    const value = this.#attribute(name);
    if (value === undefined) return undefined;
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'number');
    return isList ? [...(value as readonly number[])] : this.fail(`${name} is no list of numbers`);
  }

  text(name: string, otherwise: string): string {
    const value = this.#attribute(name) ?? otherwise;
    return typeof value === 'string' ? value : this.fail(`${name} is no text`);
  }

  texts(name: string): string[] | undefined {
    const value = this.#attribute(name);
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    return value === undefined || isList ? (value as string[] | undefined) : this.fail(`${name} is no list of texts`);
  }

  /** One of the values that an attribute may have. Error: `unsupported-option`. */
  choice<T extends string>(name: string, otherwise: T, allowed: readonly T[]): T {
    const value = this.text(name, otherwise);
    return (
      allowed.find((one) => one === value) ?? this.unsupported(`${name} is ${value}, expected ${allowed.join(' or ')}`)
    );
  }

  graph(name: string): OnnxGraph {
    const value = this.#attribute(name);
    if (value === undefined) return this.fail(`the attribute ${name} is missing`);
    return typeof value === 'object' && 'nodes' in value ? value : this.fail(`${name} is no graph`);
  }

  attributeTensor(name: string): OnnxTensor | undefined {
    const value = this.#attribute(name);
    if (value === undefined) return undefined;
    return typeof value === 'object' && 'bytes' in value ? value : this.fail(`${name} is no tensor`);
  }

  castType(): OnnxType {
    return this.typeNamed(this.int('to'));
  }

  typeNamed(number: number): OnnxType {
    return ONNX_TYPES[number] ?? this.fail(`the type ${number} is not known`);
  }

  /** Error: `unsupported-option` for attributes that nobody asked for. */
  finish(): void {
    const left = [...this.attributes.keys()].filter((name) => !this.asked.has(name));
    if (left.length) this.unsupported(`the attribute ${left.join(', ')} is not known`);
  }

  // What several ops do alike.

  axis(axis: number, rank: number): number {
    const at = axis < 0 ? axis + rank : axis;
    return at >= 0 && at < Math.max(rank, 1) ? at : this.fail(`axis ${axis} of a tensor of rank ${rank}`);
  }

  /** A list that was an attribute, and became input `i` in a later version. */
  listOr(name: string, i: number): number[] | undefined {
    return this.optional(i) ? this.numbers(i) : this.ints(name, undefined);
  }

  /** Axes and whether they stay, of a reduction. */
  reduction({ shape }: Tensor): { axes: readonly number[]; keep: boolean } {
    const given = this.listOr('axes', 1);
    const keep = this.flag('keepdims', true);
    const noop = this.flag('noop_with_empty_axes');
    const all = shape.map((_, d) => d);
    const axes = given?.length ? given.map((axis) => this.axis(axis, shape.length)) : noop ? [] : all;
    return { axes, keep };
  }

  /** First element, step and number of elements of each axis, of a slice. */
  slicing({ shape }: Tensor): { starts: number[]; steps: number[]; sizes: number[] } {
    const starts = this.listOr('starts', 1) ?? this.fail('starts are missing');
    const ends = this.listOr('ends', 2) ?? this.fail('ends are missing');
    const axes = (this.listOr('axes', 3) ?? starts.map((_, i) => i)).map((axis) => this.axis(axis, shape.length));
    const steps = this.optional(4) ? this.numbers(4) : starts.map(() => 1);
    const lengths = [starts, ends, axes, steps].map(({ length }) => length);
    if (new Set(lengths).size > 1) this.fail(`${lengths.join(', ')} starts, ends, axes and steps`);
    const made = { starts: shape.map(() => 0), steps: shape.map(() => 1), sizes: [...shape] };
    axes.forEach((axis, i) => {
      const size = shape[axis]!;
      const step = steps[i]!;
      if (!step) this.fail('a step of 0');
      const clamp = (at: number, low: number, high: number): number =>
        Math.min(Math.max(at < 0 ? at + size : at, low), high);
      const start = step > 0 ? clamp(starts[i]!, 0, size) : clamp(starts[i]!, 0, size - 1);
      const end = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1);
      made.starts[axis] = start;
      made.steps[axis] = step;
      made.sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
    });
    return made;
  }

  /** Thrown where the host does not compute this form of an op. */
  elsewhere(): never {
    throw new Elsewhere();
  }

  /** Nothing where the host may hold `count` numbers. */
  large(count: number): undefined {
    return count <= MOST_KNOWN ? undefined : this.elsewhere();
  }

  // What it becomes.

  /** Adds an op. */
  add(op: string, inputs: Readonly<Record<string, Operand | undefined>>, options: object = {}): Operand {
    return operand(op, inputs, options, this.label);
  }

  /** Adds an op of several results. */
  several(op: string, inputs: Readonly<Record<string, Operand | undefined>>, options: object = {}): readonly Operand[] {
    return results(op, inputs, options, this.label);
  }

  /** The result on the device, of the type of input 0 where no other is named. */
  made(operand: Operand, type: OnnxType = this.tensor(0).type): Tensor {
    return onDevice(operand, type);
  }

  /** A constant of a type of the device. */
  constant(type: OnnxType, shape: readonly number[], values: readonly Scalar[]): Operand {
    return this.scope.operand(known(type, shape, values), this.label);
  }

  /** Numbers that an op has of its own: windows, masks. Error: `unsupported-option` for more than 2^24. */
  list<T>(length: number, at: (i: number) => T): T[] {
    if (!(length >= 0 && length <= MOST_OWN)) this.unsupported(`it would take a list of ${length} numbers`);
    return Array.from({ length }, (_, i) => at(i));
  }

  /** 0, 1, 2 and so on, int32 [count]. Many are counted on the device. */
  counting(count: number): Operand {
    if (count <= MOST_KNOWN)
      return this.constant(
        'int32',
        [count],
        Array.from({ length: count }, (_, i) => i),
      );
    const ones = this.add('expand', { input: this.constant('int32', [1], [1]) }, { newShape: [count] });
    return this.add('cumulativeSum', { input: ones }, { axis: 0, exclusive: true });
  }

  /** A number like an operand's, to compute with it. */
  like({ dataType }: Operand, value: number): Operand {
    const type = LIKE[dataType] ?? this.fail(`numbers of ${dataType}`);
    return this.constant(type, [], [value]);
  }

  /**
   * 64-bit integers have 32 bits on the device. Where the same numbers in float32 come near their ends, the run is an
   * error: `approximate` computes the result from operands of float32.
   */
  expectFits(type: OnnxType, made: Operand, approximate: () => Operand): void {
    if ((type !== 'int64' && type !== 'uint64') || made.constant) return;
    const size = approximate();
    const [low, high] = type === 'int64' ? [-(2 ** 31) + 256, 2 ** 31 - 256] : [0, 2 ** 32 - 512];
    const above = this.add('greater', { a: size, b: this.like(size, high) });
    const below = this.add('lesser', { a: size, b: this.like(size, low) });
    this.scope.expectZeros(this.add('logicalOr', { a: above, b: below }), this.label);
  }

  cast(input: Operand, dataType: DataType): Operand {
    return input.dataType === dataType ? input : this.add('cast', { input }, { to: dataType });
  }

  reshape(input: Operand, newShape: readonly number[]): Operand {
    return this.add('reshape', { input }, { newShape });
  }

  transpose(input: Operand, permutation: readonly number[]): Operand {
    return permutation.every((axis, d) => axis === d) ? input : this.add('transpose', { input }, { permutation });
  }

  deviceType(type: OnnxType): DataType {
    return typeOf(type, this.label).device;
  }
}

/** ONNX's type of numbers of a type of the device. */
const LIKE: Partial<Record<DataType, OnnxType>> = {
  float32: 'float',
  float16: 'float16',
  int32: 'int32',
  uint32: 'uint32',
  int8: 'int8',
  uint8: 'uint8',
};

/** The host does not compute this: the device does. */
export class Elsewhere extends Error {}
