import { describe, expect, it } from 'vitest';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { testEngine } from '../support/engine.ts';
import {
  encodeModel,
  floats,
  longs,
  type ModelToEncode,
  type NodeToEncode,
  node,
  type ValueToEncode,
} from '../support/onnx.ts';

const [BATCH, HEADS, SIZE] = [2, 2, 4];
const WIDTH = HEADS * SIZE;

/** What a spelling of a decoder is made of: `x` [B, T, WIDTH], `past_k` and `past_v`, to `y`. */
interface Spelling {
  /** Where the cache holds rows: `[B, heads, past, size]`, or `[B, past, heads, size]`. */
  readonly rowsFirst?: boolean;
  /** Nodes that make `scores` of `raw`; the scores as they are where absent. */
  readonly scores?: readonly NodeToEncode[];
  /** Nodes that make `y` of `joined`, or `end` of it. */
  readonly end?: readonly NodeToEncode[];
  readonly inputs?: readonly ValueToEncode[];
}

const perm = (input: string, output: string, order: readonly number[]): NodeToEncode =>
  node('Transpose', [input], [output], { perm: order });

function decoder({ rowsFirst = false, scores = [], end = [], inputs = [] }: Spelling): ModelToEncode {
  const axis = rowsFirst ? 1 : 2;
  const heads = (name: string): NodeToEncode[] => [
    node('Reshape', [name, 'split'], [`${name}_rows`]),
    perm(`${name}_rows`, `${name}_heads`, [0, 2, 1, 3]),
  ];
  const cached = (name: string): NodeToEncode[] =>
    rowsFirst
      ? [
          node('Concat', [`past_${name}`, `${name}_rows`], [`present_${name}`], { axis }),
          perm(`present_${name}`, `all_${name}`, [0, 2, 1, 3]),
        ]
      : [
          node('Concat', [`past_${name}`, `${name}_heads`], [`present_${name}`], { axis }),
          node('Identity', [`present_${name}`], [`all_${name}`]),
        ];
  const dims = rowsFirst ? [BATCH, 'past', HEADS, SIZE] : [BATCH, HEADS, 'past', SIZE];
  return {
    nodes: [
      node('MatMul', ['x', 'w'], ['qkv']),
      node('Split', ['qkv'], ['q', 'k', 'v'], { axis: -1, num_outputs: 3 }),
      ...['q', 'k', 'v'].flatMap(heads),
      ...['k', 'v'].flatMap(cached),
      perm('all_k', 'turned', [0, 1, 3, 2]),
      node('Shape', ['past_k'], ['past_length'], { start: axis, end: axis + 1 }),
      node('Shape', ['all_k'], ['length'], { start: 2, end: 3 }),
      node('MatMul', ['q_heads', 'turned'], [scores.length ? 'raw' : 'scores']),
      ...scores,
      node('Softmax', ['scores'], ['weights'], { axis: -1 }),
      node('MatMul', ['weights', 'all_v'], ['seen']),
      perm('seen', 'seen_rows', [0, 2, 1, 3]),
      node('Reshape', ['seen_rows', 'join'], [end.length ? 'joined' : 'y']),
      ...end,
    ],
    inputs: [['x', 'float', [BATCH, 'T', WIDTH]], ['past_k', 'float', dims], ['past_v', 'float', dims], ...inputs],
    outputs: [
      ['y', 'float'],
      ['present_k', 'float'],
      ['present_v', 'float'],
    ],
    initializers: [
      floats(
        'w',
        [WIDTH, 3 * WIDTH],
        Array.from({ length: 3 * WIDTH * WIDTH }, (_, i) => Math.sin(i * 1.7)),
      ),
      longs('split', [0, 0, HEADS, SIZE]),
      longs('join', [0, 0, WIDTH]),
      longs('zero', [0]),
      longs('one', [1]),
      longs('three', [3]),
      floats('low', [], [-1e30]),
      floats('nothing', [], [0]),
    ],
    opset: 18,
  };
}

const scalar = (name: string): NodeToEncode => node('Squeeze', [name, 'zero'], [`${name}_scalar`]);

/** Query i of those after the cache sees keys up to its own. */
const CAUSAL = [
  scalar('past_length'),
  scalar('length'),
  node('Squeeze', ['one'], ['step']),
  node('Squeeze', ['zero'], ['first']),
  node('Range', ['past_length_scalar', 'length_scalar', 'step'], ['rows']),
  node('Range', ['first', 'length_scalar', 'step'], ['keys']),
  node('Unsqueeze', ['rows', 'one'], ['column']),
  node('LessOrEqual', ['keys', 'column'], ['shown']),
  node('Where', ['shown', 'nothing', 'low'], ['mask']),
  node('Add', ['raw', 'mask'], ['scores']),
];

/** The caller says which keys are hidden: 1 for each that is shown, [B, past + T]. */
const GIVEN = [
  node('Cast', ['mask'], ['shown'], { to: 9 }),
  node('Where', ['shown', 'nothing', 'low'], ['bias']),
  node('Unsqueeze', ['bias', 'one'], ['bias_heads']),
  node('Unsqueeze', ['bias_heads', 'one'], ['bias_rows']),
  node('Add', ['raw', 'bias_rows'], ['scores']),
];

/** A third of the length, rounded down, is added to the result. */
const COUNTED = [
  node('Div', ['past_length', 'three'], ['third']),
  node('Cast', ['third'], ['number'], { to: 1 }),
  node('Add', ['joined', 'number'], ['y']),
];

const MASK: ValueToEncode = ['mask', 'int64', [BATCH, 'total']];

interface Case extends Spelling {
  readonly name: string;
  /** Whether the cache can be written in place. */
  readonly proved: boolean;
  /** Inputs beside x, where the cache has `total` rows after the run. */
  given?(total: number): Record<string, GraphInput>;
}

const CASES: readonly Case[] = [
  { name: 'all keys seen', proved: true },
  { name: 'a mask of the length', scores: CAUSAL, proved: true },
  { name: 'rows before heads', rowsFirst: true, scores: CAUSAL, proved: true },
  {
    name: 'a mask of the caller',
    scores: GIVEN,
    inputs: [MASK],
    proved: true,
    given: (total) => ({
      mask: { dims: [BATCH, total], data: Array.from({ length: BATCH * total }, (_, i) => Number(i % 5 !== 1)) },
    }),
  },
  { name: 'a number that is no multiple of the length', end: COUNTED, proved: true },
  {
    name: 'scores over the length, which is part of the graph',
    scores: [
      node('Cast', ['length'], ['count'], { to: 1 }),
      node('Squeeze', ['count', 'zero'], ['divisor']),
      node('Div', ['raw', 'divisor'], ['scores']),
    ],
    proved: false,
  },
  {
    name: 'the mean of all keys, those that are not there yet too',
    end: [node('ReduceMean', ['present_k'], ['mean'], { keepdims: 0 }), node('Add', ['joined', 'mean'], ['y'])],
    proved: false,
  },
];

const FEEDBACK = { present_k: 'past_k', present_v: 'past_v' };
const load = async (model: ModelToEncode, feedback = {}): Promise<GraphModel> =>
  (await (await testEngine()).load({ 'm.onnx': encodeModel(model) }, { feedback })) as GraphModel;

const rowsOf = (rows: number, seed: number): GraphInput => ({
  dims: [BATCH, rows, WIDTH],
  data: Float32Array.from({ length: BATCH * rows * WIDTH }, (_, i) => Math.cos(i * 0.37 + seed)),
});

const inPlace = (model: GraphModel): string[] =>
  Object.keys(model.graphs()).filter((name) => name.includes('in place'));

const apart = (a: GraphTensor, b: GraphTensor): number => {
  expect(a.dims).toEqual(b.dims);
  return Math.max(...Array.from(a.data as Float32Array, (x, i) => Math.abs(x - Number(b.data[i]))));
};

/** Runs a model that hands its cache on beside one that is given the whole cache each time. */
async function compared(spelling: Case, lengths: readonly number[], every = 0): Promise<GraphModel> {
  const model = decoder(spelling);
  using plain = await load(model);
  const fed = await load(model, FEEDBACK);
  const empty = { dims: spelling.rowsFirst ? [BATCH, 0, HEADS, SIZE] : [BATCH, HEADS, 0, SIZE], data: [] };
  let cache: Record<string, GraphInput> = { past_k: empty, past_v: empty };
  let total = 0;
  for (const [i, rows] of lengths.entries()) {
    total += rows;
    const inputs = { x: rowsOf(rows, i), ...spelling.given?.(total) };
    const wanted = await plain.run({ ...inputs, ...cache });
    cache = { past_k: wanted['present_k'] as GraphTensor, past_v: wanted['present_v'] as GraphTensor };
    const all = every > 0 && i % every === every - 1;
    const got = await fed.run(inputs, all ? {} : { outputs: ['y'] });
    for (const name of all ? ['y', 'present_k', 'present_v'] : ['y'])
      expect(apart(got[name] as GraphTensor, wanted[name] as GraphTensor), `${name} of run ${i}`).toBeLessThan(1e-4);
  }
  return fed;
}

describe('a cache that a file joins rows to', () => {
  it.each(CASES)('$name: as with the whole cache given; in place: $proved', async (spelling) => {
    using model = await compared(spelling, [3, 1, 1, 2, 1, 1]);
    expect(inPlace(model)).toHaveLength(spelling.proved ? 2 : 0);
  });

  it('is one session for all lengths that it has room for, and moves where it has none', async () => {
    using model = await compared(CASES[1]!, [58, 1, 1, 1, 1, 1, 1, 1]);
    expect(inPlace(model)).toEqual(['in place 2: 1 of 128 rows', 'in place 1: 1 of 64 rows']);
    const sessions = (await model.sessions()).length;
    for (let i = 0; i < 5; i++) await model.run({ x: rowsOf(1, i) }, { outputs: ['y'] });
    expect(await model.sessions()).toHaveLength(sessions);
  });

  it('is handed on as it is where a run asks for it, and goes on in place', async () => {
    using model = await compared(CASES[1]!, [4, 1, 1, 1, 1, 1, 1], 3);
    expect(inPlace(model)).toHaveLength(1);
  });

  it('begins anew after a reset', async () => {
    using model = await compared(CASES[1]!, [3, 1, 1]);
    const steps = async (): Promise<number[]> => {
      model.reset();
      const found: number[] = [];
      for (const rows of [2, 1, 1]) {
        const { y } = await model.run({ x: rowsOf(rows, rows) }, { outputs: ['y'] });
        found.push(...((y as GraphTensor).data as Float32Array));
      }
      return found;
    };
    expect(await steps()).toEqual(await steps());
  });

  it('is not in place where a run asks for what the host knows of the length', async () => {
    const model = decoder({ scores: CAUSAL });
    using made = await load({ ...model, outputs: [...model.outputs!, ['length', 'int64']] }, FEEDBACK);
    const lengths: number[] = [];
    for (const rows of [3, 1, 1, 2]) {
      const { length } = await made.run({ x: rowsOf(rows, rows) }, { outputs: ['y', 'length'] });
      lengths.push(Number((length as GraphTensor).data[0]));
    }
    expect(lengths).toEqual([3, 4, 5, 7]);
  });

  it('has a state of its own for other sizes after a reset', async () => {
    const model = decoder({ scores: CAUSAL });
    const free = (dims: ValueToEncode[2]) => dims!.map((size, d) => (d === 0 ? 'batch' : size));
    const inputs = model.inputs!.map(([name, type, dims]): ValueToEncode => [name, type, free(dims)]);
    using made = await load({ ...model, inputs }, FEEDBACK);
    const last = async (batch: number): Promise<GraphTensor> => {
      made.reset();
      let y: GraphTensor | undefined;
      for (const rows of [2, 1, 1]) {
        const x = {
          dims: [batch, rows, WIDTH],
          data: Array.from({ length: batch * rows * WIDTH }, (_, i) => (i % WIDTH) / 8),
        };
        const past = { dims: [batch, HEADS, 0, SIZE], data: [] };
        const first: Record<string, GraphInput> = rows === 2 ? { past_k: past, past_v: past } : {};
        y = (await made.run({ x, ...first }, { outputs: ['y'] }))['y'] as GraphTensor;
      }
      return y!;
    };
    const [one, three] = [await last(1), await last(3)];
    expect(three.dims).toEqual([3, 1, WIDTH]);
    for (const [i, value] of (three.data as Float32Array).entries())
      expect(value).toBeCloseTo(Number(one.data[i % WIDTH]), 5);
    expect(inPlace(made)).toHaveLength(2);
  });

  it('tells its nodes at the shapes of a full cache', async () => {
    using model = await compared(CASES[1]!, [3, 1, 1]);
    const nodes = await model.nodes();
    expect(nodes.find(({ outputs }) => outputs[0]?.name === 'present_k')!.outputs[0]!.dims).toEqual([
      BATCH,
      HEADS,
      64,
      SIZE,
    ]);
    expect((await model.excerpt(nodes.at(-1)!.label)).length).toBeGreaterThan(0);
  });

  it('leaves nothing on the device', async () => {
    const engine = await testEngine();
    const before = engine.counters.bytes;
    const model = await compared(CASES[1]!, [3, 1, 1]);
    model.dispose();
    expect(engine.counters.bytes).toBe(before);
  });
});
