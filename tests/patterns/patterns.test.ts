import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../src/graph/builder.ts';
import { type Operand, topological } from '../../src/graph/ir.ts';
import { recogniser } from '../../src/patterns/index.ts';
import {
  graphOf,
  heads,
  joined,
  number,
  numbers,
  opsOf,
  random,
  recognise,
  recognised,
  type Spelling,
  turned,
} from './spellings.ts';

const { PI, SQRT1_2, SQRT2 } = Math;

const FUNCTIONS: readonly [op: string, name: string, spelling: Spelling][] = [
  [
    'gelu',
    'half of x first',
    (b, x) => b.mul(b.mul(x, number(b, 0.5)), b.add(b.erf(b.div(x, number(b, SQRT2))), number(b, 1))),
  ],
  [
    'gelu',
    'half last',
    (b, x) => b.mul(b.mul(x, b.add(number(b, 1), b.erf(b.mul(number(b, SQRT1_2), x)))), number(b, 0.5)),
  ],
  [
    'gelu_tanh',
    'by pow',
    (b, x) => {
      const inner = b.add(x, b.mul(b.pow(x, number(b, 3)), number(b, 0.044715)));
      return b.mul(b.mul(number(b, 0.5), x), b.add(number(b, 1), b.tanh(b.mul(inner, number(b, Math.sqrt(2 / PI))))));
    },
  ],
  [
    'gelu_tanh',
    'by products',
    (b, x) => {
      const inner = b.mul(x, b.add(number(b, 1), b.mul(b.mul(x, x), number(b, 0.044715))));
      return b.mul(x, b.mul(number(b, 0.5), b.add(b.tanh(b.mul(number(b, Math.sqrt(2 / PI)), inner)), number(b, 1))));
    },
  ],
  ['swish', 'by sigmoid', (b, x) => b.mul(b.sigmoid(x), x)],
  ['swish', 'of 1.702', (b, x) => b.mul(x, b.sigmoid(b.mul(x, number(b, 1.702))))],
  ['swish', 'by exp', (b, x) => b.div(x, b.add(number(b, 1), b.exp(b.neg(x))))],
  ['hardSwish', 'by hardSigmoid', (b, x) => b.mul(x, b.hardSigmoid(x, { alpha: 1 / 6, beta: 0.5 }))],
  [
    'hardSwish',
    'by clamp, divided last',
    (b, x) => b.div(b.mul(x, b.clamp(b.add(x, number(b, 3)), { minValue: 0, maxValue: 6 })), number(b, 6)),
  ],
  [
    'hardSwish',
    'by clamp, divided first',
    (b, x) => b.mul(x, b.div(b.clamp(b.add(x, number(b, 3)), { minValue: 0, maxValue: 6 }), number(b, 6))),
  ],
  [
    'hardSigmoid',
    'by clamp',
    (b, x) => b.clamp(b.add(b.mul(x, number(b, 0.2)), number(b, 0.5)), { minValue: 0, maxValue: 1 }),
  ],
  ['sigmoid', 'by exp', (b, x) => b.reciprocal(b.add(b.exp(b.neg(x)), number(b, 1)))],
  ['softplus', 'by log', (b, x) => b.log(b.add(b.exp(x), number(b, 1)))],
];

describe('functions of an element that are written in several ops', () => {
  it.each(FUNCTIONS)('%s, %s', (op, _name, spelling) => {
    const graph = graphOf(spelling, [3, 40]);
    expect(opsOf(graph).length).toBeGreaterThan(1);
    expect(recognised(graph)).toEqual([op]);
  });

  it('beside others: the operand is found where it is computed by such functions too', () => {
    const graph = graphOf(
      (b, x) => {
        const y = b.add(b.mul(x, number(b, 2)), number(b, 0.25));
        return b.add(b.mul(y, b.sigmoid(y)), b.relu(y));
      },
      [60],
    );
    expect(recognised(graph)).toEqual(['mul', 'add', 'swish', 'relu', 'add']);
  });

  it('not where a constant is a little off, the operands differ, or there is a jump between', () => {
    const almost = graphOf((b, x) => b.mul(x, b.hardSigmoid(x, { alpha: 0.17, beta: 0.5 })), [50]);
    expect(recognised(almost)).toEqual(['hardSigmoid', 'mul']);
    const other = graphOf((b, x) => b.mul(b.relu(x), b.sigmoid(x)), [50]);
    expect(recognised(other)).toEqual(['relu', 'sigmoid', 'mul']);
    const broadcast = graphOf(
      (b, x) => b.mul(x, b.sigmoid(b.reduceMean(x, { axes: [1], keepDimensions: true }))),
      [5, 8],
    );
    expect(recognised(broadcast)).toEqual(['reduceMean', 'sigmoid', 'mul']);
    const whole = graphOf(
      (b, x) => b.mul(b.sigmoid(b.mul(x, b.cast(b.cast(number(b, 1.7), 'int32'), 'float32'))), x),
      [50],
    );
    expect(recognised(whole)).toEqual(['cast', 'cast', 'mul', 'sigmoid', 'mul']);
    const least = graphOf((b, x) => b.neg(b.relu(b.neg(x))), [50]);
    expect(recognised(least)).toEqual(['neg', 'relu', 'neg']);
  });
});

describe('normalisations', () => {
  const mean = (b: GraphBuilder, x: Operand): Operand => b.reduceMean(x, { axes: [-1], keepDimensions: true });
  const epsilon = (b: GraphBuilder): Operand => number(b, 1e-3);
  const learn = (b: GraphBuilder, x: Operand, size: number): Operand =>
    b.add(b.mul(x, random(b, [size], 'scale')), random(b, [size], 'bias'));

  it.each<[string, Spelling]>([
    [
      'by pow and sqrt',
      (b, x) => {
        const d = b.sub(x, mean(b, x));
        return b.div(d, b.sqrt(b.add(mean(b, b.pow(d, number(b, 2))), epsilon(b))));
      },
    ],
    [
      'with the difference twice, and a reciprocal',
      (b, x) => {
        const [d, e] = [b.sub(x, mean(b, x)), b.sub(x, mean(b, x))];
        return b.mul(b.reciprocal(b.sqrt(b.add(mean(b, b.mul(d, d)), epsilon(b)))), e);
      },
    ],
    [
      'with a power of -1/2',
      (b, x) => {
        const d = b.sub(x, mean(b, x));
        return b.mul(d, b.pow(b.add(mean(b, b.mul(d, d)), epsilon(b)), number(b, -0.5)));
      },
    ],
  ])('layerNormalization %s', (_name, spelling) => {
    expect(recognised(graphOf((b, x) => learn(b, spelling(b, x), 24), [2, 5, 24]))).toEqual(['layerNormalization']);
    expect(recognised(graphOf(spelling, [2, 5, 24]))).toEqual(['layerNormalization']);
  });

  it.each<[string, Spelling]>([
    ['by division', (b, x) => b.div(x, b.sqrt(b.add(epsilon(b), mean(b, b.mul(x, x)))))],
    ['by 1 / √', (b, x) => b.mul(x, b.div(number(b, 1), b.sqrt(b.add(mean(b, b.pow(x, number(b, 2))), epsilon(b)))))],
  ])('rmsNormalization %s', (_name, spelling) => {
    const graph = graphOf((b, x) => b.mul(random(b, [24], 'scale'), spelling(b, x)), [2, 5, 24]);
    expect(recognised(graph)).toEqual(['rmsNormalization']);
  });

  it('not over other axes, of the mean of another, or where the result without its scale is used too', () => {
    const columns = graphOf(
      (b, x) => {
        const d = b.sub(x, b.reduceMean(x, { axes: [0], keepDimensions: true }));
        return b.div(d, b.sqrt(b.add(b.reduceMean(b.mul(d, d), { axes: [0], keepDimensions: true }), epsilon(b))));
      },
      [6, 8],
    );
    expect(recognised(columns)).not.toContain('layerNormalization');
    const other = graphOf(
      (b, x) => {
        const d = b.sub(x, mean(b, b.relu(x)));
        return b.div(d, b.sqrt(b.add(mean(b, b.mul(d, d)), epsilon(b))));
      },
      [6, 8],
    );
    expect(recognised(other)).toEqual(expect.arrayContaining(['relu', 'rmsNormalization']));
    const both = graphOf(
      (b, x) => {
        const normal = b.div(x, b.sqrt(b.add(mean(b, b.mul(x, x)), epsilon(b))));
        return b.add(b.mul(normal, random(b, [8], 'scale')), normal);
      },
      [6, 8],
    );
    expect(recognised(both)).toEqual(['rmsNormalization', 'mul', 'add']);
  });
});

const NEVER = Number.NEGATIVE_INFINITY;
const causal = (t: number, keys: number): number[] =>
  Array.from({ length: t * keys }, (_, i) => (i % keys <= Math.floor(i / keys) + keys - t ? 0 : NEVER));

describe('attention', () => {
  const T = 5;
  const weights = (b: GraphBuilder, x: Operand, seed: string, width = 24): Operand =>
    b.matmul(x, random(b, [24, width], seed));
  const parts = (b: GraphBuilder, x: Operand): [Operand, Operand, Operand] => [
    heads(b, weights(b, x, 'q'), 3),
    heads(b, weights(b, x, 'k'), 3),
    heads(b, weights(b, x, 'v'), 3),
  ];

  it.each<[string, Spelling]>([
    [
      'with scores divided, and a mask added',
      (b, x) => {
        const [q, k, v] = parts(b, x);
        const scores = b.add(
          b.div(b.matmul(q, turned(b, k)), number(b, Math.sqrt(8))),
          numbers(b, [1, 1, T, T], causal(T, T)),
        );
        return joined(b, b.matmul(b.softmax(scores, 3), v));
      },
    ],
    [
      'with query and key multiplied, and a condition',
      (b, x) => {
        const [q, k, v] = parts(b, x);
        const root = number(b, 8 ** -0.25);
        const scores = b.matmul(b.mul(q, root), b.mul(turned(b, k), root));
        const hidden = b.constant(
          { dataType: 'uint8', shape: [T, T] },
          Uint8Array.from(causal(T, T), (n) => Number(n !== 0)),
        );
        const weights = b.softmax(b.where(hidden, number(b, NEVER), scores), 3);
        return joined(b, b.matmul(b.where(b.isNaN(weights), number(b, 0), weights), v));
      },
    ],
    [
      'of a batch of heads',
      (b, x) => {
        const [q, k, v] = parts(b, x).map((one) => b.reshape(one, [6, T, 8])) as [Operand, Operand, Operand];
        const scores = b.add(b.mul(b.matmul(q, turned(b, k)), number(b, 0.3)), random(b, [6, T, T], 'mask'));
        return b.matmul(b.softmax(scores, 2), v);
      },
    ],
    [
      'with heads of keys that several share, between transposes of three axes',
      (b, x) => {
        const q = heads(b, weights(b, x, 'q'), 3);
        const shared = (seed: string): Operand => {
          const own = heads(b, weights(b, x, seed, 8), 1);
          return b.reshape(b.expand(b.reshape(own, [2, 1, 1, T, 8]), [2, 1, 3, T, 8]), [2, 3, T, 8]);
        };
        const key = b.reshape(turned(b, b.reshape(shared('k'), [6, T, 8])), [2, 3, 8, T]);
        return joined(b, b.matmul(b.softmax(b.matmul(q, key), 3), shared('v')));
      },
    ],
  ])('%s', (_name, spelling) => {
    const ops = recognised(graphOf(spelling, [2, T, 24]));
    expect(
      ops.filter((op) => ['attention', 'softmax', 'where', 'mul', 'div', 'isNaN'].includes(op) && op !== 'where'),
    ).toEqual(['attention']);
    expect(ops.filter((op) => op === 'matmul')).toHaveLength(3);
  });

  it('reads rows of packed query, key and value where they were cut from', () => {
    const graph = graphOf(
      (b, x) => {
        const [q, k, v] = b.split(weights(b, x, 'qkv', 72), 3, { axis: 2 }).map((one) => heads(b, one, 3));
        return joined(b, b.matmul(b.softmax(b.matmul(q!, turned(b, k!)), 3), v!));
      },
      [2, T, 24],
    );
    expect(recognised(graph)).toEqual(['matmul', 'attention', 'transpose', 'transpose']);
  });

  it('a mask that hides what comes later is no operand; one of another diagonal, or with a number in it, is', () => {
    const attention = (mask: (b: GraphBuilder) => Operand, masks = true): Operand => {
      const graph = graphOf(
        (b, x) => {
          const [q, k, v] = parts(b, x);
          return joined(b, b.matmul(b.softmax(b.add(b.matmul(q, turned(b, k)), mask(b)), 3), v));
        },
        [2, T, 24],
      );
      expect(recognised(graph)).toContain('attention');
      return topological(recognise(graph, masks)).find(({ op }) => op === 'attention')!;
    };
    const shown = Uint8Array.from(causal(T, T), (n) => Number(n === 0));
    for (const mask of [
      (b: GraphBuilder) => numbers(b, [1, 1, T, T], causal(T, T)),
      (b: GraphBuilder) => numbers(b, [T, T], causal(T, T)),
      (b: GraphBuilder) =>
        b.where(b.constant({ dataType: 'uint8', shape: [1, T, T] }, shown), number(b, 0), number(b, -1e30)),
    ]) {
      expect(attention(mask).inputs).not.toHaveProperty('bias');
      expect(attention(mask).options).toMatchObject({ causal: true });
      expect(attention(mask, false).inputs).toHaveProperty('bias');
    }
    const other = causal(T, T).map((n, i) => (i === 2 * T ? -0.5 : n));
    const wider = Array.from({ length: T * T }, (_, i) => (i % T <= Math.floor(i / T) + 1 ? 0 : NEVER));
    for (const values of [other, wider]) {
      const { inputs, options } = attention((b) => numbers(b, [T, T], values));
      expect(inputs).toHaveProperty('bias');
      expect(options).not.toHaveProperty('causal');
    }
  });

  it('not where somebody wants the weights, the key is not turned, or hidden scores would still count', () => {
    const weighed = graphOf(
      (b, x) => {
        const [q, k, v] = parts(b, x);
        const weights = b.softmax(b.matmul(q, turned(b, k)), 3);
        return b.concat([b.matmul(weights, v), weights], 3);
      },
      [2, T, 24],
    );
    expect(recognised(weighed)).not.toContain('attention');
    const other = graphOf(
      (b, x) => {
        const [q, , v] = parts(b, x);
        return b.matmul(b.softmax(b.matmul(q, random(b, [2, 3, 8, T], 'k')), 3), v);
      },
      [2, T, 24],
    );
    expect(recognised(other)).not.toContain('attention');
    const low = graphOf(
      (b, x) => {
        const [q, k, v] = parts(b, x);
        const none = b.constant({ dataType: 'uint8', shape: [1, 1, 1, T] }, new Uint8Array(T));
        return b.matmul(b.softmax(b.where(none, b.matmul(q, turned(b, k)), number(b, -1e4)), 3), v);
      },
      [2, T, 24],
    );
    expect(recognised(low)).not.toContain('attention');
  });
});

it('of sequences are left where a graph has a few among many convolutions: their kernels would load for little', async () => {
  const graph = graphOf(
    (b, x) => b.matmul(b.softmax(b.matmul(x, b.transpose(x, { permutation: [0, 2, 1] })), 2), x),
    [2, 5, 8],
  );
  const opsWith = (softmaxes: number, convolutions: number): string[] => [
    ...Array<string>(softmaxes).fill('Softmax'),
    ...Array<string>(convolutions).fill('Conv'),
    ...Array<string>(50).fill('Concat'),
  ];
  for (const [softmaxes, convolutions, found] of [
    [3, 40, false],
    [4, 40, true],
    [1, 1, true],
  ] as const)
    expect(opsOf((await recogniser(opsWith(softmaxes, convolutions)))(graph)).includes('attention')).toBe(found);
});
