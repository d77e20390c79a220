import { type Operand, operand } from '../graph/ir.ts';
import { erf } from '../tensor/erf.ts';
import { isFloat, sameShape } from '../tensor/types.ts';
import { is, numberOf, optionOf, type Pattern } from './match.ts';

/*
 * Functions of an element that are written in several ops: gelu, swish, hardSwish. They are known by what they compute,
 * not by how it is spelt: a node that depends on one operand, through functions of an element and numbers, is evaluated
 * at some points, and compared with the functions that are one op here.
 */

type Function = (x: number) => number;

/** A node as a function of an operand. `nodes`: ops between the two. */
interface Reading {
  readonly of: Operand;
  readonly at: Function;
  readonly nodes: number;
}

const sigmoid: Function = (x) => 1 / (1 + Math.exp(-x));
const limited = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Functions of one argument. `alpha` and `beta`: options of the node. */
const UNARY: Readonly<Record<string, (x: number, alpha: number | undefined, beta: number | undefined) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  erf,
  sigmoid,
  relu: (x) => Math.max(x, 0),
  clamp: (x, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY) => limited(x, low, high),
  linear: (x, alpha = 1, beta = 0) => alpha * x + beta,
  hardSigmoid: (x, alpha = 0.2, beta = 0.5) => limited(alpha * x + beta, 0, 1),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  swish: (x, alpha = 1) => x * sigmoid(alpha * x),
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  max: Math.max,
  min: Math.min,
};

/** Options by an alpha that is neither nothing nor endless: then the function would be another. */
const within = (alpha: number, options: (alpha: number) => object): object | undefined =>
  Math.abs(alpha) > 0.01 && Math.abs(alpha) < 20 ? options(alpha) : undefined;

interface Known {
  readonly op: string;
  /** From the function that is compared with it; undefined where that cannot be it. */
  readonly options?: (f: Function) => object | undefined;
  readonly at: (x: number, options: object) => number;
}

/** Functions that are one op here. */
const KNOWN: readonly Known[] = [
  { op: 'gelu', at: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)) },
  { op: 'gelu_tanh', at: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) },
  { op: 'hardSwish', at: (x) => (x * limited(x + 3, 0, 6)) / 6 },
  {
    op: 'hardSigmoid',
    options: (f) => within((f(0.25) - f(0)) / 0.25, (alpha) => ({ alpha, beta: f(0) })),
    at: (x, { alpha, beta }: { alpha?: number; beta?: number }) => UNARY['hardSigmoid']!(x, alpha, beta),
  },
  { op: 'sigmoid', at: sigmoid },
  {
    op: 'swish',
    // f(1) = 1 / (1 + exp(-alpha))
    options: (f) => within(Math.log(f(1) / (1 - f(1))), (alpha) => ({ alpha })),
    at: (x, { alpha }: { alpha?: number }) => UNARY['swish']!(x, alpha, undefined),
  },
  { op: 'softplus', at: (x) => UNARY['softplus']!(x, undefined, undefined) },
];

/** Where functions are compared. Beyond 30 all known ones are 0, 1, x, or nearly. */
const POINTS = [-30, -12, ...Array.from({ length: 65 }, (_, i) => (i - 32) / 4 + 0.03), 12, 30];
/** The numbers of files are rounded to float32, and float16. */
const NEAR = { float32: 2e-6, float16: 2e-3 };
/** Ops in a function, and functions that a node is read as, at the most. */
const MOST = { nodes: 16, readings: 12 };

export function functions(): Pattern {
  const known = new Map<Operand, readonly Reading[]>();

  function readings(node: Operand): readonly Reading[] {
    const found = known.get(node);
    if (found) return found;
    const made = [{ of: node, at: (x: number) => x, nodes: 0 }, ...throughOp(node)]
      .filter(({ nodes }) => nodes <= MOST.nodes)
      .slice(0, MOST.readings);
    known.set(node, made);
    return made;
  }

  function throughOp(node: Operand): Reading[] {
    const { input, a, b } = node.inputs;
    const f = UNARY[node.op];
    if (f && input) {
      const [alpha, beta] = [optionOf<number>(node, 'alpha'), optionOf<number>(node, 'beta')];
      return readings(input).map(({ of, at, nodes }) => ({ of, at: (x) => f(at(x), alpha, beta), nodes: nodes + 1 }));
    }
    const g = BINARY[node.op];
    if (!g || !a || !b) return [];
    const [p, q] = [numberOf(a), numberOf(b)];
    if (q !== undefined)
      return readings(a).map(({ of, at, nodes }) => ({ of, at: (x) => g(at(x), q), nodes: nodes + 1 }));
    if (p !== undefined)
      return readings(b).map(({ of, at, nodes }) => ({ of, at: (x) => g(p, at(x)), nodes: nodes + 1 }));
    return readings(a).flatMap((left) =>
      readings(b)
        .filter(({ of }) => of === left.of)
        .map((right) => ({
          of: left.of,
          at: (x: number) => g(left.at(x), right.at(x)),
          nodes: left.nodes + right.nodes + 1,
        })),
    );
  }

  return (node) => {
    if (!isFloat(node.dataType) || !(is(node, 'mul') || is(node, 'div') || UNARY[node.op])) return undefined;
    const near = NEAR[node.dataType as keyof typeof NEAR];
    // Of the furthest operand: as much as possible becomes one op.
    for (const { of, at, nodes } of readings(node).toSorted((p, q) => q.nodes - p.nodes)) {
      if (nodes < 2 || of.constant || of.dataType !== node.dataType || !sameShape(of.shape, node.shape)) continue;
      for (const { op, options, at: other } of KNOWN) {
        const given = options ? options(at) : {};
        if (given && POINTS.every((x) => Math.abs(at(x) - other(x, given)) <= near * (1 + Math.abs(x))))
          return operand(op, { input: of }, given, node.label);
      }
    }
    return undefined;
  };
}
