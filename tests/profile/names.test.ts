import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { plan } from '../../src/graph/plan.ts';
import { labelsOf, layerNames } from '../../src/profile/names.ts';
import { roofOf } from '../../src/profile/roof.ts';
import { kindsOf, layersOf, type Placed } from '../../src/profile/totals.ts';
import { capsOf } from '../support/caps.ts';

/** Two blocks of convolution, normalisation and activation, the second with a shortcut. */
function blocks() {
  const b = new GraphBuilder();
  const numbers = (shape: number[]) =>
    b.constant({ dataType: 'float32', shape }, new Float32Array(shape.reduce((x, y) => x * y, 1)).fill(0.5));
  const layer = (x: ReturnType<typeof b.relu>, name: string) => {
    const y = b.conv2d(x, numbers([8, 8, 3, 3]), { padding: [1, 1, 1, 1], label: `${name}.conv` });
    return b.batchNormalization(y, numbers([8]), numbers([8]), { label: `${name}.bn` });
  };
  const x = b.input('x', { dataType: 'float32', shape: [1, 8, 8, 8] });
  const first = b.relu(layer(x, 'one'));
  const second = b.relu(b.add(layer(first, 'two'), first), { label: 'two.act' });
  return b.outputs({ y: b.softmax(second, 1, { label: 'head' }) });
}

const steps = (without: readonly 'fuse'[] = []) =>
  plan(optimise(blocks(), { without: ['winograd', ...without] }, capsOf()), capsOf()).steps;

describe('names of layers', () => {
  it('say what was fused into a step, by the names of the graph', () => {
    const names = layerNames(blocks(), steps());
    expect(names.get('one.conv')).toBe('one.conv + bn + relu');
    expect(names.get('two.conv')).toBe('two.conv + bn + add + act');
    expect(names.get('head')).toBe('head');
  });

  it('say nothing of what has a step of its own', () => {
    const names = layerNames(blocks(), steps(['fuse']));
    expect(names.get('one.conv')).toBe('one.conv');
    expect(names.get('two.act')).toBe('two.act');
  });

  it('a step without a label has that of the layer it works for', () => {
    const all = steps();
    expect(all[0]!.node.label).toBeUndefined();
    expect(labelsOf(all)[0]).toBe('one.conv');
  });
});

const row = (label: string, op: string, ms: number): Placed => ({
  ...{ label, op, name: `${label} + relu`, ms, macs: 10 * ms, flops: 20 * ms, bytes: ms, share: ms / 10 },
});

describe('totals', () => {
  const rows = [row('a.0.x', 'conv2d', 1), row('a.0.y', 'conv2d', 2), row('a.1.x', 'pad', 3), row('b', 'pad', 4)];

  it('of layers are a tree, where a group of one layer is that layer', () => {
    const [a, b] = layersOf(rows);
    expect([a!.name, a!.ms, a!.share, b!.name]).toEqual(['a', 6, 0.6000000000000001, 'b + relu']);
    expect(a!.children.map(({ name, ms }) => [name, ms])).toEqual([
      ['0', 3],
      ['a.1.x + relu', 3],
    ]);
    expect(a!.children[0]!.children.map(({ rows: own }) => own)).toEqual([[0], [1]]);
  });

  it('of kinds are the costliest first', () => {
    expect(kindsOf(rows).map(({ op, dispatches, ms }) => [op, dispatches, ms])).toEqual([
      ['pad', 2, 7],
      ['conv2d', 2, 3],
    ]);
  });
});

describe('the lower roof', () => {
  const ceilings = { fmaF32: 1000, fmaF16: 2000, readGbps: 100, dispatchUs: 5 };
  const dataType = 'float32';

  it.each([
    ['launch', { ms: 0.01, flops: 1e6, bytes: 1e5, dataType }, 10],
    ['memory', { ms: 2, flops: 1e8, bytes: 1e8, dataType }, 50],
    ['compute', { ms: 4, flops: 1e9, bytes: 1e6, dataType }, 25],
    ['compute', { ms: 4, flops: 1e9, bytes: 1e6, dataType: 'float16' }, 12.5],
  ])('is that of %s', (bound, timed, pctOfRoof) => {
    const roof = roofOf(timed, ceilings);
    expect(roof.bound).toBe(bound);
    expect(roof.pctOfRoof).toBeCloseTo(pctOfRoof, 9);
  });
});
