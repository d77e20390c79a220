import { expect, it } from 'vitest';
import { topological } from '../../src/graph/ir.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { numbers, run, withModel, Y } from '../support/graph-model.ts';
import { type AttributeToEncode, floats, longs, type ModelToEncode, node } from '../support/onnx.ts';

const wave = (count: number, step: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(1 + i * step));

const [B, S, HEADS, D, ROWS] = [2, 3, 2, 8, 7];

interface Turn {
  readonly positions: readonly number[];
  readonly size?: number;
  readonly interleaved?: boolean;
}

const angle = (row: number, i: number): number => (row + 1) * 0.7 ** (i + 1);
const tables = (size: number): readonly [cos: number[], sin: number[]] => {
  const all = Array.from({ length: (ROWS * size) / 2 }, (_, i) => angle(Math.floor((2 * i) / size), i % (size / 2)));
  return [all.map(Math.cos), all.map(Math.sin)];
};

/** [B, S, HEADS · D], turned. */
function turned(x: readonly number[], { positions, size = D, interleaved = false }: Turn): number[] {
  const made = [...x];
  for (let line = 0; line < B * S * HEADS; line++)
    for (let i = 0; i < size / 2; i++) {
      const [p, q] = [interleaved ? 2 * i : i, interleaved ? 2 * i + 1 : i + size / 2].map((d) => line * D + d) as [
        number,
        number,
      ];
      const by = angle(positions[Math.floor(line / HEADS)]!, i);
      made[p] = x[p]! * Math.cos(by) - x[q]! * Math.sin(by);
      made[q] = x[q]! * Math.cos(by) + x[p]! * Math.sin(by);
    }
  return made;
}

/** [B, S, HEADS · D] as [B, HEADS, S, D]. */
const apart = (x: readonly number[]): number[] =>
  Array.from({ length: x.length }, (_, i) => {
    const [d, s, head, b] = [
      i % D,
      Math.floor(i / D) % S,
      Math.floor(i / D / S) % HEADS,
      Math.floor(i / D / S / HEADS),
    ];
    return x[((b * S + s) * HEADS + head) * D + d]!;
  });

const X = wave(B * S * HEADS * D, 0.37);
const EACH = [3, 4, 5, 0, 6, 2];
const APART = [B, HEADS, S, D];
const ROWS_OF_HEADS = [B, S, HEADS * D];

/** A RotaryEmbedding with tables of all rows. `at`: the shape of the positions. */
function model(
  op: 'RotaryEmbedding' | 'RotaryEmbedding@com.microsoft',
  dims: readonly number[],
  at: readonly number[],
  attributes: Record<string, AttributeToEncode> = {},
  size = D,
): ModelToEncode {
  const [cos, sin] = tables(size);
  const shape = [ROWS, size / 2];
  const inputs = op === 'RotaryEmbedding' ? ['x', 'cos', 'sin', 'at'] : ['x', 'at', 'cos', 'sin'];
  return {
    opset: 23,
    nodes: [node(op, inputs, ['y'], attributes)],
    inputs: [
      ['x', 'float', dims],
      ['at', 'int64', at],
    ],
    outputs: [Y],
    initializers: [floats('cos', shape, cos), floats('sin', shape, sin)],
  };
}

const close = (want: readonly number[]): unknown[] => want.map((value) => expect.closeTo(value, 5));

it.each<[name: string, model: ModelToEncode, at: readonly number[], want: readonly number[]]>([
  [
    'rows of heads, neighbours, some of the elements',
    model('RotaryEmbedding', ROWS_OF_HEADS, [B, S], { num_heads: HEADS, rotary_embedding_dim: 4, interleaved: 1 }, 4),
    EACH,
    turned(X, { positions: EACH, size: 4, interleaved: true }),
  ],
  ['heads of rows', model('RotaryEmbedding@com.microsoft', APART, [B, S]), EACH, apart(turned(X, { positions: EACH }))],
  [
    'one start, without the number of heads',
    model('RotaryEmbedding@com.microsoft', ROWS_OF_HEADS, [1], { interleaved: 1 }),
    [4],
    turned(X, { positions: [4, 5, 6, 4, 5, 6], interleaved: true }),
  ],
  [
    'one start, some of the elements',
    model(
      'RotaryEmbedding@com.microsoft',
      ROWS_OF_HEADS,
      [1],
      { num_heads: HEADS, rotary_embedding_dim: 6, scale: { float: 1 }, is_packed_batching: 0 },
      6,
    ),
    [2],
    turned(X, { positions: [2, 3, 4, 2, 3, 4], size: 6 }),
  ],
])('RotaryEmbedding is one op: %s', async (_, file, at, want) => {
  const isApart = file.inputs![0]![2]!.length === 4;
  await withModel(file, async (loaded) => {
    const { y } = await loaded.run({ x: isApart ? apart(X) : X, at });
    expect([...((y as GraphTensor).data as Float32Array)]).toEqual(close(want));
    const ops = Object.values(loaded.graphs()).flatMap((graph) => topological(graph).map(({ op }) => op));
    expect(ops.filter((op) => op === 'rotaryEmbedding')).toHaveLength(1);
    expect(ops.filter((op) => ['slice', 'concat', 'gather', 'mul', 'transpose'].includes(op))).toEqual([]);
  });
});

it('without positions, cosines and sines are those of each token', async () => {
  const [cos, sin] = tables(D).map((table) => EACH.flatMap((row) => table.slice((row * D) / 2, ((row + 1) * D) / 2)));
  const shape = [B, S, D / 2];
  const file: ModelToEncode = {
    opset: 23,
    nodes: [node('RotaryEmbedding', ['x', 'cos', 'sin'], ['y'])],
    inputs: [['x', 'float', APART]],
    outputs: [Y],
    initializers: [floats('cos', shape, cos!), floats('sin', shape, sin!)],
  };
  expect(await numbers(file, { x: apart(X) })).toEqual(close(apart(turned(X, { positions: EACH }))));
});

it.each([0, 1])(
  'GroupQueryAttention turns queries and keys after the rows of its cache, interleaved %s',
  async (pairs) => {
    const [cos, sin] = tables(D);
    const past = 2;
    const own = (rotary: boolean): ModelToEncode => {
      const inputs = rotary ? ['x', 'k', 'v', 'pk', 'pv', '', '', 'cos', 'sin'] : ['xt', 'kt', 'v', 'pk', 'pv'];
      const turn = (name: string, count: number) =>
        node('RotaryEmbedding@com.microsoft', [name, 'start', 'cos', 'sin'], [`${name}t`], {
          interleaved: pairs,
          num_heads: count,
        });
      return {
        nodes: [
          ...(rotary ? [] : [turn('x', HEADS), turn('k', 1)]),
          node('GroupQueryAttention@com.microsoft', inputs, ['y', 'key', 'value'], {
            num_heads: HEADS,
            kv_num_heads: 1,
            ...(rotary && { do_rotary: 1, rotary_interleaved: pairs }),
          }),
        ],
        inputs: [['x', 'float', ROWS_OF_HEADS]],
        outputs: [Y, ['key', 'float'], ['value', 'float']],
        initializers: [
          floats('k', [B, S, D], wave(B * S * D, 0.61)),
          floats('v', [B, S, D], wave(B * S * D, 0.23)),
          floats('pk', [B, 1, past, D], wave(B * past * D, 0.11)),
          floats('pv', [B, 1, past, D], wave(B * past * D, 0.83)),
          floats('cos', [ROWS, D / 2], cos),
          floats('sin', [ROWS, D / 2], sin),
          longs('start', [past]),
        ],
      };
    };
    const [got, want] = [await run(own(true), { x: X }), await run(own(false), { x: X })];
    for (const name of ['y', 'key', 'value'])
      expect([...((got[name] as GraphTensor).data as Float32Array)], name).toEqual(
        close([...((want[name] as GraphTensor).data as Float32Array)]),
      );
  },
);

it('what it does not do is refused by name', async () => {
  const op = 'RotaryEmbedding@com.microsoft';
  const refused = (file: ModelToEncode, message: RegExp, code: 'unsupported-option' | 'invalid-graph') =>
    expectError(() => run(file, { x: X, at: EACH }), code, message);
  await refused(
    model(op, ROWS_OF_HEADS, [B, S], { is_packed_batching: 1 }),
    /is_packed_batching/,
    'unsupported-option',
  );
  await refused(model(op, ROWS_OF_HEADS, [B, S], { scale: { float: 0.5 } }), /scale/, 'unsupported-option');
  await refused(model('RotaryEmbedding', ROWS_OF_HEADS, [B, S]), /num_heads/, 'invalid-graph');
  const wide = model('RotaryEmbedding', ROWS_OF_HEADS, [B, S], { num_heads: HEADS }, 2 * D);
  await refused(wide, /tables of 8 angles for 8 elements/, 'invalid-graph');
});
