import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../src/graph/builder.ts';
import { type Operand, topological } from '../../src/graph/ir.ts';
import {
  graphOf,
  heads,
  joined,
  number,
  opsOf,
  random,
  recognise,
  recognised,
  type Spelling,
  turned,
} from './spellings.ts';

const [B, H, T, D] = [2, 3, 5, 8];

/** `count` elements of the last axis from `start` on, every `step`-th. */
const part = (b: GraphBuilder, x: Operand, start: number, count: number, step = 1): Operand => {
  const last = x.shape.length - 1;
  const sizes = x.shape.with(last, (count - 1) * step + 1);
  return b.slice(
    x,
    x.shape.map((_, d) => (d === last ? start : 0)),
    sizes,
    {
      strides: x.shape.map((_, d) => (d === last ? step : 1)),
    },
  );
};
const cosines = (b: GraphBuilder, shape: readonly number[]): [Operand, Operand] => [
  random(b, shape, 'cos'),
  random(b, shape, 'sin'),
];

/** Heads with each pair as (-y, x). */
type Cross = (b: GraphBuilder, x: Operand) => Operand;
const bySlices: Cross = (b, x) => {
  const half = x.shape.at(-1)! / 2;
  return b.concat([b.neg(part(b, x, half, half)), part(b, x, 0, half)], x.shape.length - 1);
};
const bySplit: Cross = (b, x) => {
  const [first, second] = b.split(x, 2, { axis: -1 });
  return b.concat([b.mul(second!, number(b, -1)), first!], -1);
};
/** torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2) */
const byNeighbours: Cross = (b, x) => {
  const half = x.shape.at(-1)! / 2;
  const lead = x.shape.slice(0, -1);
  const stack = [b.neg(part(b, x, 1, half, 2)), part(b, x, 0, half, 2)].map((one) =>
    b.reshape(one, [...lead, half, 1]),
  );
  return b.reshape(b.concat(stack, lead.length + 1), x.shape);
};
/** The same where the sign comes after the axis, and pairs are picked from an axis of their own. */
const byPicked: Cross = (b, x) => {
  const half = x.shape.at(-1)! / 2;
  const lead = x.shape.slice(0, -1);
  const pairs = b.reshape(x, [...lead, half, 2]);
  const pick = (at: number): Operand =>
    b.reshape(
      b.gather(pairs, b.constant({ dataType: 'int32', shape: [] }, Int32Array.of(at)), { axis: lead.length + 1 }),
      [...lead, half, 1],
    );
  return b.reshape(b.concat([b.neg(pick(-1)), pick(0)], lead.length + 1), x.shape);
};
const CROSSES: Readonly<Record<string, Cross>> = { bySlices, bySplit, byNeighbours, byPicked };

const sum =
  (cross: Cross, shape: readonly number[]): Spelling =>
  (b, x) => {
    const [cos, sin] = cosines(b, shape);
    return b.add(b.mul(x, cos), b.mul(cross(b, x), sin));
  };

/** Each pair's two elements: x cos - y sin and y cos + x sin, and how they are joined. */
const pairs =
  (interleaved: boolean, shape: readonly number[], swapped = false): Spelling =>
  (b, x) => {
    const [cos, sin] = cosines(b, shape);
    const half = x.shape.at(-1)! / 2;
    const lead = x.shape.slice(0, -1);
    const split = b.reshape(x, [...lead, half, 2]);
    const axis = lead.length + 1;
    const [p, q] = interleaved
      ? [0, 1].map((at) => b.reshape(part(b, split, at, 1), [...lead, half]))
      : [part(b, x, 0, half), part(b, x, half, half)];
    const real = b.sub(b.mul(p!, cos), b.mul(sin, q!));
    const terms = [b.mul(q!, cos), b.mul(p!, sin)] as const;
    const imaginary = swapped ? b.add(terms[1], terms[0]) : b.add(...terms);
    if (!interleaved) return b.concat([real, imaginary], -1);
    return b.reshape(
      b.concat(
        [real, imaginary].map((one) => b.reshape(one, [...lead, half, 1])),
        axis,
      ),
      x.shape,
    );
  };

/** The options of the one rotation, and the shapes that it reads. */
function rotationOf(graph: Parameters<typeof recognise>[0]): { options: object; input: readonly number[] } {
  const found = topological(recognise(graph)).filter(({ op }) => op === 'rotaryEmbedding');
  expect(found).toHaveLength(1);
  return { options: found[0]!.options, input: found[0]!.inputs['input']!.shape };
}

describe('rotaryEmbedding', () => {
  it.each(Object.entries(CROSSES))('as a sum, (-y, x) %s', (name, cross) => {
    const graph = graphOf(sum(cross, [T, D]), [B, H, T, D]);
    expect(opsOf(graph).length).toBeGreaterThan(5);
    expect(recognised(graph)).toEqual(['rotaryEmbedding']);
    const interleaved = name === 'byNeighbours' || name === 'byPicked';
    expect(rotationOf(graph)).toEqual({ options: interleaved ? { interleaved } : {}, input: [B, H, T, D] });
  });

  it('as a difference from (y, -x)', () => {
    const graph = graphOf(
      (b, x) => {
        const [cos, sin] = cosines(b, [1, 1, T, D]);
        const other = b.concat([part(b, x, D / 2, D / 2), b.neg(part(b, x, 0, D / 2))], 3);
        return b.sub(b.mul(cos, x), b.mul(sin, other));
      },
      [B, H, T, D],
    );
    expect(recognised(graph)).toEqual(['rotaryEmbedding']);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('as pairs that are joined, interleaved %s, terms swapped %s', (interleaved, swapped) => {
    const graph = graphOf(pairs(interleaved, [B, 1, T, D / 2], swapped), [B, H, T, D]);
    expect(recognised(graph)).toEqual(['rotaryEmbedding']);
  });

  it.each<[name: string, x: readonly number[], cos: readonly number[], input: readonly number[], heads?: number]>([
    ['heads of tokens, angles of a batch', [B, H, T, D], [B, 1, T, D], [B, H, T, D]],
    ['tokens of heads', [B, T, H, D], [T, 1, D], [B, T, H * D], H],
    ['tokens of heads, angles of a batch', [B, T, H, D], [B, T, 1, D], [B, T, H * D], H],
    ['one token', [B, H, 1, D], [1, 1, 1, D], [B, H, 1, D]],
    ['one token of heads', [B, 1, H, D], [B, 1, 1, D], [B, 1, H * D], H],
    ['no batch', [H, T, D], [T, D], [1, H, T, D]],
    ['no batch, tokens first', [T, H, D], [T, 1, D], [1, T, H * D], H],
    ['one head', [B, T, D], [B, T, D], [1, 1, B * T, D]],
    ['heads with angles of their own', [B, H, T, D], [H, T, D], [B, 1, H * T, D]],
    ['groups of heads', [B, 2, 3, T, D], [B, 1, 1, T, D], [B, 6, T, D]],
    ['groups of heads of tokens', [B, T, 2, 3, D], [1, T, 1, 1, D], [B, T, 6 * D], 6],
  ])('of %s', (_, x, cos, input, count) => {
    const graph = graphOf(sum(bySlices, cos), x);
    expect(recognised(graph)).toEqual(['rotaryEmbedding']);
    expect(rotationOf(graph)).toEqual({ options: count ? { heads: count } : {}, input });
  });

  it('of some elements of a head, beside those that stay', () => {
    const R = 4;
    for (const spelling of [sum(bySlices, [T, R]), pairs(true, [T, R / 2])]) {
      const graph = graphOf((b, x) => b.concat([spelling(b, part(b, x, 0, R)), part(b, x, R, D - R)], 3), [B, H, T, D]);
      expect(recognised(graph)).toEqual(['rotaryEmbedding']);
      expect(rotationOf(graph).options).toMatchObject({ rotaryEmbeddingDim: R });
    }
    const split = graphOf(
      (b, x) => {
        const [turning, rest] = b.split(x, [R, D - R], { axis: 3 });
        return b.concat([sum(bySlices, [T, R])(b, turning!), rest!], -1);
      },
      [B, H, T, D],
    );
    expect(recognised(split)).toEqual(['rotaryEmbedding']);
  });

  it('of heads that were rows comes before the transpose: attention and caches read rows', () => {
    const whole = graphOf((b, x) => sum(bySlices, [T, D])(b, heads(b, x, H)), [B, T, H * D]);
    expect(recognised(whole)).toEqual(['rotaryEmbedding', 'transpose']);
    expect(rotationOf(whole)).toEqual({ options: { heads: H }, input: [B, T, H * D] });
    const some = graphOf(
      (b, x) => {
        const apart = heads(b, x, H);
        return b.concat([sum(bySplit, [T, 4])(b, part(b, apart, 0, 4)), part(b, apart, 4, D - 4)], 3);
      },
      [B, T, H * D],
    );
    expect(recognised(some)).toEqual(['rotaryEmbedding', 'transpose']);
  });

  it('where somebody wants the cosines, the halves or the products, these stay beside it', () => {
    const graph = graphOf(
      (b, x) => {
        const [cos, sin] = cosines(b, [T, D]);
        const product = b.mul(x, cos);
        return b.add(b.add(product, b.mul(bySlices(b, x), sin)), product);
      },
      [B, H, T, D],
    );
    expect(recognised(graph).sort()).toEqual(['add', 'mul', 'rotaryEmbedding']);
  });

  it.each<[name: string, spelling: Spelling, shape?: readonly number[]]>([
    ['no sign', (b, x) => sum((b, x) => b.concat([part(b, x, 4, 4), part(b, x, 0, 4)], 3), [T, D])(b, x)],
    ['two signs', (b, x) => sum((b, x) => b.neg(b.concat([part(b, x, 4, 4), part(b, x, 0, 4)], 3)), [T, D])(b, x)],
    ['a sign of the other half', sum((b, x) => b.concat([part(b, x, 4, 4), b.neg(part(b, x, 0, 4))], 3), [T, D])],
    ['halves in their places', sum((b, x) => b.concat([b.neg(part(b, x, 0, 4)), part(b, x, 4, 4)], 3), [T, D])],
    ['a factor of -2', sum((b, x) => b.concat([b.mul(part(b, x, 4, 4), number(b, -2)), part(b, x, 0, 4)], 3), [T, D])],
    ['elements of another place', sum((b, x) => b.concat([b.neg(part(b, x, 3, 4)), part(b, x, 0, 4)], 3), [T, D])],
    ['unequal parts', sum((b, x) => b.concat([b.neg(part(b, x, 5, 3)), part(b, x, 0, 5)], 3), [T, D])],
    [
      'pairs of another operand',
      (b, x) => {
        const [cos, sin] = cosines(b, [T, D]);
        return b.add(b.mul(x, cos), b.mul(bySlices(b, b.relu(x)), sin));
      },
    ],
    ['angles of each group of heads', sum(bySlices, [2, 1, T, D]), [B, 2, 3, T, D]],
    ['one number for all elements', sum(bySlices, [T, 1])],
    [
      'neighbours that are joined as halves',
      (b, x) => {
        const [cos, sin] = cosines(b, [T, D / 2]);
        const [p, q] = [part(b, x, 0, 4, 2), part(b, x, 1, 4, 2)];
        return b.concat([b.sub(b.mul(p, cos), b.mul(q, sin)), b.add(b.mul(q, cos), b.mul(p, sin))], 3);
      },
    ],
    [
      'other cosines for the second elements',
      (b, x) => {
        const [cos, sin] = cosines(b, [T, D / 2]);
        const [p, q] = [part(b, x, 0, 4), part(b, x, 4, 4)];
        const other = random(b, [T, D / 2], 'other');
        return b.concat([b.sub(b.mul(p, cos), b.mul(q, sin)), b.add(b.mul(q, other), b.mul(p, sin))], 3);
      },
    ],
    [
      'a sum for both',
      (b, x) => {
        const [cos, sin] = cosines(b, [T, D / 2]);
        const [p, q] = [part(b, x, 0, 4), part(b, x, 4, 4)];
        return b.concat([b.add(b.mul(p, cos), b.mul(q, sin)), b.add(b.mul(q, cos), b.mul(p, sin))], 3);
      },
    ],
  ])('is not what is nearly it: %s', (_name, spelling, shape = [B, H, T, D]) => {
    expect(recognised(graphOf(spelling, shape))).not.toContain('rotaryEmbedding');
  });

  it('of elements in the middle, or beside those of another operand, stays between slices and concat', () => {
    const middle = graphOf(
      (b, x) => b.concat([sum(bySlices, [T, 4])(b, part(b, x, 2, 4)), part(b, x, 6, 2)], 3),
      [B, H, T, D],
    );
    expect(recognised(middle)).toEqual(['slice', 'rotaryEmbedding', 'slice', 'concat']);
    const other = graphOf(
      (b, x) => b.concat([sum(bySlices, [T, 4])(b, part(b, x, 0, 4)), part(b, b.relu(x), 4, 4)], 3),
      [B, H, T, D],
    );
    expect(recognised(other)).toContain('concat');
    const more = graphOf(
      (b, x) => b.concat([sum(bySlices, [T, 4])(b, part(b, x, 0, 4)), part(b, x, 4, 2), part(b, x, 6, 2)], 3),
      [B, H, T, D],
    );
    expect(recognised(more)).toContain('concat');
  });
});

describe('a decoder with heads of keys that several share', () => {
  const WIDTH = H * 2 * D;
  const KV = H;
  const angles = (b: GraphBuilder): [Operand, Operand] => {
    const places = b.constant(
      { dataType: 'float32', shape: [1, T, 1] },
      Float32Array.from({ length: T }, (_, t) => t),
    );
    const frequencies = b.mul(places, random(b, [1, 1, D / 2], 'frequencies'));
    const both = b.concat([frequencies, frequencies], 2);
    return [b.cos(both), b.sin(both)].map((one) => b.reshape(one, [1, 1, T, D])) as [Operand, Operand];
  };
  const normal = (b: GraphBuilder, x: Operand, name: string): Operand => {
    const mean = b.reduceMean(b.pow(x, number(b, 2)), { axes: [-1], keepDimensions: true });
    return b.mul(random(b, [WIDTH], name), b.mul(x, b.reciprocal(b.sqrt(b.add(mean, number(b, 1e-5))))));
  };
  const product = (b: GraphBuilder, x: Operand, width: number, name: string): Operand =>
    b.matmul(x, b.mul(random(b, [x.shape.at(-1)!, width], name), number(b, 0.2)));
  const repeated = (b: GraphBuilder, x: Operand): Operand =>
    b.reshape(b.expand(b.reshape(x, [B, KV, 1, T, D]), [B, KV, 2, T, D]), [B, 2 * KV, T, D]);

  it.each(['bySlices', 'bySplit'] as const)('is normalisations, products, rotations and attention: %s', (name) => {
    const graph = graphOf(
      (b, x) => {
        const [cos, sin] = angles(b);
        const turn = (one: Operand): Operand => b.add(b.mul(one, cos), b.mul(CROSSES[name]!(b, one), sin));
        const h = normal(b, x, 'first');
        const q = turn(heads(b, product(b, h, WIDTH, 'q'), 2 * KV));
        const k = repeated(b, turn(heads(b, product(b, h, KV * D, 'k'), KV)));
        const v = repeated(b, heads(b, product(b, h, KV * D, 'v'), KV));
        const scores = b.div(b.matmul(q, turned(b, k)), number(b, Math.sqrt(D)));
        const y = b.add(x, product(b, joined(b, b.matmul(b.softmax(scores, 3), v)), WIDTH, 'o'));
        const z = normal(b, y, 'second');
        const gate = product(b, z, 2 * WIDTH, 'gate');
        const up = product(b, z, 2 * WIDTH, 'up');
        return b.add(y, product(b, b.mul(b.mul(gate, b.sigmoid(gate)), up), WIDTH, 'down'));
      },
      [B, T, WIDTH],
    );
    const runs = (ops: readonly string[]): string[] =>
      ops.filter((op) => !['mul', 'concat', 'cos', 'sin', 'transpose'].includes(op));
    expect(runs(recognised(graph))).toEqual([
      'rmsNormalization',
      'matmul',
      'rotaryEmbedding',
      'matmul',
      'rotaryEmbedding',
      'matmul',
      'attention',
      'matmul',
      'add',
      'rmsNormalization',
      'matmul',
      'swish',
      'matmul',
      'matmul',
      'add',
    ]);
    const found = topological(recognise(graph));
    // Rows from the products on: nothing is transposed at a run.
    const attention = found.find(({ op }) => op === 'attention')!;
    expect(attention.options).toMatchObject({ heads: 2 * KV, kvHeads: KV, headSize: D });
    const rows = ['query', 'key', 'value'].map((one) => attention.inputs[one]!.op);
    expect(rows).toEqual(['rotaryEmbedding', 'rotaryEmbedding', 'matmul']);
    expect(found.filter(({ op, constant }) => op === 'transpose' && !constant)).toHaveLength(2);
  });
});
