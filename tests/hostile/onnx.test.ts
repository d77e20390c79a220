import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import { openOnnx } from '../../src/formats/onnx.ts';
import type { OnnxModel } from '../../src/formats/onnx-model.ts';
import { loadingOps, loadOps } from '../../src/graph/groups/index.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { smallNumbers } from '../../src/onnx/contents.ts';
import { HOST } from '../../src/onnx/host.ts';
import { lowerings } from '../../src/onnx/lower/index.ts';
import { Lowerer, type Lowerings } from '../../src/onnx/lowerer.ts';
import type { Value } from '../../src/onnx/values.ts';
import { type Bytes, byteChange, campaign, judged, mutated, Tally } from '../support/mutations.ts';
import { type AttributeToEncode, encodeModel, floats, longs, type ModelToEncode, node } from '../support/onnx.ts';

// The modules of this file are loaded anew, with arrays that are counted.
const allocations = await vi.hoisted(async () => {
  const { Allocations } = await import('../support/allocations.ts');
  vi.resetModules();
  return new Allocations();
});
afterAll(() => allocations.restore());

/** Layers of images, with their weights. */
const image: ModelToEncode = {
  nodes: [
    node('Conv', ['x', 'w', 'b'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 1 }),
    node('Relu', ['c'], ['r']),
    node('GlobalAveragePool', ['r'], ['p']),
    node('Flatten', ['p'], ['f'], { axis: 1 }),
    node('Gemm', ['f', 'v'], ['y'], { transB: 1, alpha: { float: 0.5 } }),
  ],
  inputs: [['x', 'float', ['n', 3, 8, 8]]],
  outputs: [['y', 'float', ['n', 2]]],
  initializers: [
    floats(
      'w',
      [4, 3, 3, 3],
      Array.from({ length: 108 }, (_, i) => Math.sin(i)),
    ),
    floats('b', [4], [0, 1, 2, 3]),
    floats('v', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
  ],
};

/** Arithmetic on shapes, and all that moves numbers. */
const shapes: ModelToEncode = {
  nodes: [
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'first'], ['n'], { axis: 0 }),
    node('Concat', ['n', 'rest'], ['to'], { axis: 0 }),
    node('Reshape', ['x', 'to'], ['t']),
    node('Transpose', ['t'], ['u'], { perm: [1, 0, 2] }),
    node('Slice', ['u', 'first', 'step', 'first', 'step'], ['part']),
    node('ConstantOfShape', ['s'], ['zeros'], { value: { tensor: floats('', [1], [2]) } }),
    node('Expand', ['part', 'grown'], ['large']),
    node('Tile', ['large', 'times'], ['tiled']),
    node('Range', ['from', 'end', 'one'], ['range']),
    node('Pad', ['x', 'pads'], ['padded'], { mode: 'reflect' }),
    node('Split', ['zeros'], ['left', 'right'], { axis: 1 }),
    node('Softmax', ['tiled'], ['y'], { axis: -1 }),
  ],
  inputs: [['x', 'float', [2, 12]]],
  outputs: [
    ['y', 'float'],
    ['range', 'int64'],
    ['left', 'float'],
    ['padded', 'float'],
  ],
  initializers: [
    longs('first', [0]),
    longs('rest', [3, -1]),
    longs('step', [1]),
    longs('grown', [3, 2, 4]),
    longs('times', [1, 2, 3]),
    longs('from', [0], []),
    longs('end', [10], []),
    longs('one', [1], []),
    longs('pads', [0, 1, 0, 1]),
  ],
};

/** Graphs inside nodes, a function, quantised weights. */
const nested: ModelToEncode = {
  nodes: [
    node('Twice@own', ['x'], ['d'], { by: { float: 3 } }),
    node('If', ['yes'], ['e'], {
      then_branch: { graph: { nodes: [node('Neg', ['d'], ['m'])], outputs: [['m', 'float']] } },
      else_branch: { graph: { nodes: [node('Exp', ['d'], ['q'])], outputs: [['q', 'float']] } },
    }),
    node('Loop', ['turns', '', 'e'], ['l', 'all'], {
      body: {
        graph: {
          nodes: [node('Add', ['was', 'x'], ['now']), node('Identity', ['go'], ['goes'])],
          inputs: [
            ['i', 'int64', []],
            ['go', 'bool', []],
            ['was', 'float', [2]],
          ],
          outputs: [
            ['goes', 'bool'],
            ['now', 'float'],
            ['now', 'float'],
          ],
        },
      },
    }),
    node('DequantizeLinear', ['q', 'scale', 'zero'], ['w'], { axis: 0 }),
    node('MatMul', ['all', 'w'], ['y']),
  ],
  inputs: [['x', 'float', [2]]],
  outputs: [['y', 'float', [3, 2]]],
  initializers: [
    { name: 'yes', type: 'bool', dims: [], field: 'int32', values: [1] },
    longs('turns', [3], []),
    { name: 'q', type: 'int8', dims: [2, 2], field: 'int32', values: [1, -2, 3, -4] },
    floats('scale', [2], [0.5, 0.25]),
    { name: 'zero', type: 'int8', dims: [2], raw: Uint8Array.of(1, 2) },
  ],
  functions: [
    {
      name: 'Twice',
      inputs: ['a'],
      outputs: ['b'],
      attributes: ['by'],
      nodes: [node('Constant', [], ['k'], { value_float: { ref: 'by' } }), node('Mul', ['a', 'k'], ['b'])],
    },
  ],
};

/** All that a load does without a device: reads the file, and lowers its graph. Symbols among dimensions are 2. */
async function lowered(bytes: Bytes, table: Lowerings): Promise<Value[]> {
  const model: OnnxModel = await openOnnx(await openFolder({ 'm.onnx': bytes }), 'm.onnx');
  const files = await smallNumbers(model);
  return loadingOps(() => {
    const lowerer = new Lowerer(model, table, { files, found: new Map() }, 'float32', new Map());
    const inputs = new Map<string, Value>();
    const defaults = new Set(model.graph.initializers.map(({ name }) => name));
    for (const { name, type } of model.graph.inputs) {
      if (type?.kind !== 'tensor' || defaults.has(name)) continue;
      const dims = (type.dims ?? []).map((size) => (typeof size === 'number' ? size : 2));
      inputs.set(name, lowerer.input(name, type.type, dims));
    }
    return lowerer.lower(inputs);
  });
}

/** Inputs of any op: of the device, of the file, sizes that are too large, none. */
const inputs: ModelToEncode['inputs'] = [
  ['x', 'float', [2, 3]],
  ['images', 'float', [1, 4, 5, 5]],
  ['integers', 'int64', [4]],
  ['scalar', 'int64', []],
  ['empty', 'float', [0, 2]],
];
const initializers = [
  longs('zero', [0], []),
  longs('pair', [1, 2]),
  longs('zeros', [0, 0]),
  longs('less', [-1]),
  longs('large', [2 ** 31]),
  longs('huge', [2n ** 62n], []),
  longs('none', []),
  floats('half', [], [0.5]),
  floats('matrix', [2, 2], [1, 2, 3, 4]),
];
const names = ['', ...[...inputs].map(([name]) => name), ...initializers.map(({ name }) => name!)];
const anyInputs = fc.array(fc.constantFrom(...names), { maxLength: 6 });
const anyAttributes = fc.oneof(fc.constant({}), fc.record({ axis: fc.integer({ min: -3, max: 3 }) }));

/** Reads and lowers a file. An op that trips over its inputs lacks a check of its own: what it threw is thrown as it is. */
async function loweredOrRefused(file: Bytes, table: Lowerings): Promise<void> {
  try {
    await lowered(file, table);
  } catch (error) {
    const { cause } = error as Error;
    throw cause instanceof Error && !(cause instanceof TilewrightError) ? cause : error;
  }
}

const judge = (tally: Tally, file: Bytes, table: Lowerings): Promise<void> =>
  judged(tally, { bytes: file.length, allocations }, () => loweredOrRefused(file, table));

const RUNS = 3400; // of each of three models: over 10,000

describe('files of which bytes were changed', () => {
  let table: Lowerings;
  beforeAll(async () => {
    table = await lowerings();
    await loadOps();
  });

  it.each([
    ['layers of images', image],
    ['arithmetic on shapes', shapes],
    ['graphs inside nodes', nested],
  ])(
    '%s: a result or an error of ours, within a second and ten times the bytes',
    async (name, model) => {
      const bytes = encodeModel(model);
      expect((await lowered(bytes, table)).length).toBe(model.outputs!.length);
      const files = fc.array(byteChange, { minLength: 1, maxLength: 3 }).map((changes) => mutated(bytes, changes));
      await campaign(`ONNX, ${name}`, RUNS, files, (tally, file) => judge(tally, file, table));
    },
    60_000,
  );

  it('every op with any inputs: a result or an error of ours, within a second', async () => {
    const ops = [...new Set([...table.keys(), ...Object.keys(HOST)])];
    const files = fc.record({ key: fc.constantFrom(...ops), given: anyInputs, attributes: anyAttributes });
    await campaign('ONNX, an op with any inputs', 6000, files, (tally, { key, given, attributes }) => {
      const at = key.lastIndexOf('.');
      const op = at < 0 ? key : `${key.slice(at + 1)}@${key.slice(0, at)}`;
      const nodes = [node(op, given, ['y'], attributes)];
      return judge(tally, encodeModel({ nodes, inputs, outputs: [['y', 'float']], initializers }), table);
    });
  }, 60_000);
});

describe('files that promise or ask for more than they hold', () => {
  let table: Lowerings;
  beforeAll(async () => {
    table = await lowerings();
    await loadOps();
  });
  const x: ModelToEncode['inputs'] = [['x', 'float', [2, 3]]];
  const outputs: ModelToEncode['outputs'] = [['y', 'float']];
  const body: AttributeToEncode = { graph: { nodes: [node('Neg', ['a'], ['b'])], inputs: [['a', 'float']], outputs } };
  const large = [2 ** 20, 2 ** 20];

  it.each<[string, ModelToEncode]>([
    [
      'numbers that are not there',
      { initializers: [{ name: 'w', type: 'float', dims: large, raw: new Uint8Array(8) }] },
    ],
    [
      'varints that are not there',
      { initializers: [{ name: 'w', type: 'int64', dims: large, field: 'int64', values: [1, 2] }] },
    ],
    [
      'external data that is not there',
      { initializers: [{ name: 'w', type: 'int8', dims: [4000], external: { location: 'w' } }] },
    ],
    [
      'pads around an axis',
      {
        nodes: [node('Pad', ['x', 'pads'], ['y'], { mode: 'wrap' })],
        initializers: [longs('pads', [0, 0, 0, 2 ** 31])],
      },
    ],
    ['inputs of a scan', { nodes: [node('Scan', ['x'], ['y'], { num_scan_inputs: 2 ** 31, body })] }],
    [
      'places of a large result',
      {
        nodes: [node('ConstantOfShape', ['sizes'], ['zeros']), node('ScatterND', ['zeros', 'at', 'x'], ['y'])],
        initializers: [longs('sizes', [2 ** 30, 3]), longs('at', [0, 1], [2, 1])],
      },
    ],
    ['parts of a split', { nodes: [node('Split', ['x'], ['y'], { num_outputs: 2 ** 31 })] }],
    [
      'points of a window',
      { nodes: [node('HannWindow', ['size'], ['y'])], initializers: [longs('size', [2 ** 40], [])] },
    ],
  ])('%s: an error of ours, within ten times the bytes', async (_, model) => {
    const nodes = [node('Identity', ['x'], ['y'])];
    const tally = new Tally('');
    await judge(tally, encodeModel({ nodes, inputs: x, outputs, ...model }), table);
    expect(tally.of('accepted')).toBe(0);
  });
});
