import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { known, NOTHING, type Sequence, type Tensor, type Value } from '../values.ts';
import { alias, pieces } from './shape.ts';

/** Turns of a loop that are unrolled, at the most. */
const MOST_TURNS = 1024;

/** Takes the branch of a condition that is known. */
const branch: Lowering = (call) => {
  const [yes, no] = [call.graph('then_branch'), call.graph('else_branch')];
  return call.scope.inline(Number(call.scalar(0)) ? yes : no, [], call.label);
};

/** Unrolls: turns and conditions are known before each. */
const loop: Lowering = (call) => {
  const body = call.graph('body');
  const trips = call.optional(0) ? Number(call.scalar(0)) : Number.POSITIVE_INFINITY;
  let goes: Tensor | undefined = call.optional(1);
  let carried = call.inputs.slice(2).map((value) => value ?? NOTHING);
  const scans: Tensor[][] = body.outputs.slice(1 + carried.length).map(() => []);
  for (let turn = 0; turn < trips; turn++) {
    if (goes) {
      const [value] = goes.known ?? call.scope.known(goes, `${call.label}, condition ${turn}`);
      if (!value) break;
    }
    if (turn >= MOST_TURNS) call.unsupported(`more than ${MOST_TURNS} turns`);
    const inputs = [known('int64', [], [BigInt(turn)]), goes ?? known('bool', [], [1]), ...carried];
    const [next, ...rest] = call.scope.inline(body, inputs, `${call.label}/${turn}`);
    goes = next as Tensor;
    carried = rest.slice(0, carried.length);
    for (const [i, value] of rest.slice(carried.length).entries()) scans[i]!.push(value as Tensor);
  }
  return [...carried, ...scans.map((list) => stack(call, list, 0))];
};

const scan: Lowering = (call) => {
  const body = call.graph('body');
  const count = call.int('num_scan_inputs');
  if (call.opset < 9) call.unsupported('Scan before opset 9');
  const states = call.inputs.length - count;
  const outputs = body.outputs.length - states;
  if (!(count >= 0 && states >= 0 && outputs >= 0))
    call.fail(`${count} scanned inputs of ${call.inputs.length}, and ${body.outputs.length} outputs of its body`);
  const lists = (name: string, length: number): number[] =>
    call.ints(
      name,
      Array.from({ length }, () => 0),
    );
  const [inputAxes, inputDirections] = [lists('scan_input_axes', count), lists('scan_input_directions', count)];
  const [outputAxes, outputDirections] = [lists('scan_output_axes', outputs), lists('scan_output_directions', outputs)];
  const scanned = Array.from({ length: count }, (_, i) => {
    const tensor = call.tensor(states + i);
    const axis = call.axis(inputAxes[i]!, tensor.shape.length);
    const list = unstack(call, tensor, axis);
    return inputDirections[i] ? list.reverse() : list;
  });
  let carried = call.inputs.slice(0, states).map((value) => value ?? NOTHING);
  const made: Tensor[][] = Array.from({ length: outputs }, () => []);
  if (scanned.some((list) => list.length !== scanned[0]!.length)) call.fail('its inputs differ in length');
  for (let turn = 0; turn < (scanned[0]?.length ?? 0); turn++) {
    const results = call.scope.inline(
      body,
      [...carried, ...scanned.map((list) => list[turn]!)],
      `${call.label}/${turn}`,
    );
    carried = results.slice(0, states);
    for (const [i, value] of results.slice(states).entries()) made[i]!.push(value as Tensor);
  }
  const stacked = made.map((list, i) => {
    const ordered = outputDirections[i] ? list.reverse() : list;
    const rank = (ordered[0]?.shape.length ?? 0) + 1;
    return stack(call, ordered, call.axis(outputAxes[i]!, rank));
  });
  return [...carried, ...stacked];
};

/** Tensors of one shape as one, along a new axis. */
export function stack(call: Call, list: readonly Tensor[], axis: number): Tensor {
  if (!list.length) return known('float', [0], []);
  const apart = list.map((tensor) =>
    alias(call, tensor, [...tensor.shape.slice(0, axis), 1, ...tensor.shape.slice(axis)]),
  );
  return join(call, apart, axis);
}

export function join(call: Call, list: readonly Tensor[], axis: number): Tensor {
  const [first] = list as [Tensor];
  if (list.length === 1) return first;
  if (axis === 0 && list.every((tensor) => tensor.known)) {
    const rows = list.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
    return known(
      first.type,
      [rows, ...first.shape.slice(1)],
      list.flatMap((tensor) => tensor.known!),
    );
  }
  const inputs = Object.fromEntries(list.map((tensor, i) => [`input${i}`, call.operand(tensor)]));
  return call.made(call.add('concat', inputs, { axis }), first.type);
}

/** The slices along an axis, without it. */
function unstack(call: Call, tensor: Tensor, axis: number): Tensor[] {
  const rest = tensor.shape.filter((_, d) => d !== axis);
  if (tensor.shape[axis]! > MOST_TURNS) call.unsupported(`more than ${MOST_TURNS} slices`);
  if (tensor.known && axis === 0) {
    const size = elementCount(rest);
    return Array.from({ length: tensor.shape[0]! }, (_, i) =>
      known(tensor.type, rest, tensor.known!.slice(i * size, (i + 1) * size)),
    );
  }
  const parts = pieces(
    call,
    tensor,
    axis,
    Array.from({ length: tensor.shape[axis]! }, () => 1),
  );
  return parts.map((part) => alias(call, part, rest));
}

const sequence = (call: Call, i: number): Sequence => {
  const value = call.value(i);
  return value.kind === 'sequence' ? value : call.fail(`input ${i} is a ${value.kind}, expected a sequence`);
};
const place = (call: Call, i: number, length: number): number => {
  const at = call.optional(i) ? Number(call.scalar(i)) : length;
  return at < 0 ? at + length : at;
};

const turns = (call: Call, count: number): number =>
  count >= 0 && count <= MOST_TURNS ? Math.ceil(count) : call.unsupported(`${count} parts, more than ${MOST_TURNS}`);

function splitToSequence(call: Call): Sequence {
  const data = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), data.shape.length);
  const keep = call.flag('keepdims', true);
  const size = data.shape[axis]!;
  const given = call.optional(1);
  if (!given) {
    const items = unstack(call, data, axis);
    const shape = data.shape.map((length, d) => (d === axis ? 1 : length));
    return { kind: 'sequence', items: keep ? items.map((item) => alias(call, item, shape)) : items };
  }
  const asked = call.numbers(1);
  const splits = given.shape.length
    ? asked
    : Array.from({ length: turns(call, size / asked[0]!) }, (_, i) => Math.min(asked[0]!, size - i * asked[0]!));
  return { kind: 'sequence', items: pieces(call, data, axis, splits) };
}

const isThere = (value: Value | undefined): boolean => value !== undefined && value.kind !== 'nothing';

export const CONTROL: Readonly<Record<string, Lowering>> = {
  If: branch,
  Loop: loop,
  Scan: scan,
  SequenceConstruct: (call) => ({ kind: 'sequence', items: call.all() }),
  SequenceEmpty: (call) => {
    call.skip('dtype');
    return { kind: 'sequence', items: [] };
  },
  SequenceAt: (call) => {
    const { items } = sequence(call, 0);
    return items[place(call, 1, items.length)] ?? call.fail(`the sequence has ${items.length} tensors`);
  },
  SequenceInsert: (call) => {
    const { items } = sequence(call, 0);
    const at = place(call, 2, items.length);
    return { kind: 'sequence', items: [...items.slice(0, at), call.tensor(1), ...items.slice(at)] };
  },
  SequenceErase: (call) => {
    const { items } = sequence(call, 0);
    const at = call.optional(1) ? place(call, 1, items.length) : items.length - 1;
    return { kind: 'sequence', items: items.filter((_, i) => i !== at) };
  },
  SequenceLength: (call) => known('int64', [], [BigInt(sequence(call, 0).items.length)]),
  ConcatFromSequence: (call) => {
    const items = sequence(call, 0).items as readonly Tensor[];
    const axis = call.int('axis');
    const rank = items[0]!.shape.length + call.int('new_axis', 0);
    return call.flag('new_axis') ? stack(call, items, call.axis(axis, rank)) : join(call, items, call.axis(axis, rank));
  },
  SplitToSequence: splitToSequence,
  Optional: (call) => {
    call.skip('type');
    return call.inputs[0] ?? NOTHING;
  },
  OptionalHasElement: (call) => known('bool', [], [isThere(call.inputs[0]) ? 1 : 0]),
  OptionalGetElement: (call) => (isThere(call.inputs[0]) ? call.value(0) : call.fail('there is no value in it')),
};
