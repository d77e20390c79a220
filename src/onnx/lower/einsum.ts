import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';

/** Sums of products by letters of axes. Two operands at a time become one matrix product. */
function einsum(call: Call): Tensor {
  const equation = call.text('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string | undefined];
  const terms = left.split(',');
  const operands = call.all().map((tensor) => call.operand(tensor));
  if (terms.length !== operands.length)
    call.fail(`"${equation}" is of ${terms.length} operands, got ${operands.length}`);
  // An ellipsis stands for axes of their own.
  const spread = Math.max(
    0,
    ...terms.map((term, i) => (term.includes('...') ? operands[i]!.shape.length - (term.length - 3) : 0)),
  );
  const dots = '0123456789'.slice(0, spread);
  const axesOf = (term: string, rank: number): string[] => {
    const own = term.includes('...') ? rank - (term.length - 3) : 0;
    return [...term.replace('...', dots.slice(spread - own))];
  };
  const named = terms.map((term, i) => ({ axes: axesOf(term, operands[i]!.shape.length), operand: operands[i]! }));
  const count = (axis: string): number => left.split(axis).length - 1;
  const letters = [...new Set([...left].filter((letter) => /[A-Za-z]/.test(letter)))].sort();
  const target =
    right === undefined
      ? [...dots, ...letters.filter((letter) => count(letter) === 1)]
      : [...right.replace('...', dots)];
  let whole = diagonal(call, named[0]!);
  named.slice(1).forEach((next, i) => {
    const later = new Set([...target, ...named.slice(i + 2).flatMap(({ axes }) => axes)]);
    whole = contract(call, whole, diagonal(call, next), later);
  });
  const summed = sumOut(call, whole, new Set(target));
  const order = target.map((axis) => summed.axes.indexOf(axis));
  if (order.includes(-1) || order.length !== summed.axes.length)
    call.fail(`"${equation}" has an output that no operand has`);
  return call.made(call.transpose(summed.operand, order));
}

interface Term {
  readonly axes: readonly string[];
  readonly operand: Operand;
}

/** Axes that are named twice in one operand, once. */
function diagonal(call: Call, { axes, operand }: Term): Term {
  const twice = axes.findIndex((axis, d) => axes.indexOf(axis) !== d);
  if (twice < 0) return { axes, operand };
  const first = axes.indexOf(axes[twice]!);
  const size = operand.shape[first]!;
  const others = axes.flatMap((_, d) => (d === first || d === twice ? [] : [d]));
  const turned = call.transpose(operand, [...others, first, twice]);
  const lead = others.map((d) => operand.shape[d]!);
  const flat = call.reshape(turned, [...lead, size * size]);
  const indices = call.constant(
    'int32',
    [size],
    call.list(size, (i) => i * (size + 1)),
  );
  const picked = call.add('gather', { input: flat, indices }, { axis: lead.length });
  return diagonal(call, { axes: [...others.map((d) => axes[d]!), axes[first]!], operand: picked });
}

function sumOut(call: Call, { axes, operand }: Term, keep: ReadonlySet<string>): Term {
  const gone = axes.flatMap((axis, d) => (keep.has(axis) ? [] : [d]));
  if (!gone.length) return { axes, operand };
  return {
    axes: axes.filter((axis) => keep.has(axis)),
    operand: call.add('reduceSum', { input: operand }, { axes: gone, keepDimensions: false }),
  };
}

/** Two operands: axes of both that stay are batches, those of both that go are summed over. */
function contract(call: Call, first: Term, second: Term, keep: ReadonlySet<string>): Term {
  const a = sumOut(call, first, new Set([...keep, ...second.axes]));
  const b = sumOut(call, second, new Set([...keep, ...first.axes]));
  const sizeOf = (axis: string): number =>
    Math.max(...[a, b].map(({ axes, operand }) => (axes.includes(axis) ? operand.shape[axes.indexOf(axis)]! : 1)));
  const shared = a.axes.filter((axis) => b.axes.includes(axis));
  const batch = shared.filter((axis) => keep.has(axis));
  const summed = shared.filter((axis) => !keep.has(axis));
  const rows = a.axes.filter((axis) => !shared.includes(axis));
  const columns = b.axes.filter((axis) => !shared.includes(axis));
  const bring = ({ axes, operand }: Term, order: readonly string[], shape: readonly number[]): Operand => {
    const turned = call.transpose(
      operand,
      order.map((axis) => axes.indexOf(axis)),
    );
    const full = order.map(sizeOf);
    const whole = turned.shape.every((size, d) => size === full[d])
      ? turned
      : call.add('expand', { input: turned }, { newShape: full });
    return call.reshape(whole, shape);
  };
  const product = (axes: readonly string[]): number => axes.reduce((total, axis) => total * sizeOf(axis), 1);
  const [m, k, n, z] = [product(rows), product(summed), product(columns), product(batch)];
  const made = call.add('matmul', {
    a: bring(a, [...batch, ...rows, ...summed], [z, m, k]),
    b: bring(b, [...batch, ...summed, ...columns], [z, k, n]),
  });
  const axes = [...batch, ...rows, ...columns];
  return { axes, operand: call.reshape(made, axes.map(sizeOf)) };
}

export const EINSUM: Readonly<Record<string, Lowering>> = {
  Einsum: einsum,
};
