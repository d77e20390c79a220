import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { plan } from '../../src/graph/plan.ts';
import { ConstantKeys } from '../../src/runtime/keys.ts';
import { type Requirements, requirements } from '../../src/runtime/requirements.ts';
import { keyOf } from '../../src/tensor/key.ts';
import { capsOf } from '../support/caps.ts';

const b = new GraphBuilder();
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const numbers = (length: number, seed = 0): Float32Array => Float32Array.from({ length }, (_, i) => i + seed);
/** A tensor of a file: its place there, and no bytes. */
const stored = (order: number, name: string, ...shape: number[]): Operand =>
  b.constant({ name, order, storedType: 'F32', shape, async *chunks() {} });

const of = (outputs: Record<string, Operand>, has: (operand: Operand) => boolean = () => false): Requirements => {
  const keys = new ConstantKeys();
  return requirements(plan(b.outputs(outputs), capsOf()), (operand) => keys.of(operand), has);
};

/** `+w` a buffer is taken, `w` uploaded or `op` computed, `-w` freed. */
const told = ({ tasks }: Requirements): string[] =>
  tasks.map(({ node, steps, takes, frees }) => {
    const name = ({ op, label }: Operand): string => (op === 'constant' ? (label ?? op) : op);
    return [
      ...takes.map((operand) => `+${name(operand)}`),
      steps.length ? `${node.op} ${steps.length}` : name(node),
      ...frees.map((operand) => `-${name(operand)}`),
    ].join(' ');
  });

describe('what constants require', () => {
  const x = b.input('x', float(4));

  it('a weight that a run reads is uploaded and stays', () => {
    const needs = of({ y: b.add(x, stored(0, 'w', 4)) });
    expect(told(needs)).toEqual(['w']);
    expect(needs).toMatchObject({ uploaded: 16, bytes: 16, peakBytes: 16 });
  });

  it('what is only on the way is freed as soon as nothing needs it, in the order of the file', () => {
    const [late, early] = [stored(2, 'late', 4), stored(1, 'early', 64)];
    const made = b.reduceSum(b.exp(early), { keepDimensions: true });
    const needs = of({ y: b.add(b.add(x, b.neg(late)), made) });
    expect(told(needs)).toEqual(['+early early', '+exp exp 1 -early', 'reduceSum 1 -exp', '+late late', 'neg 1 -late']);
    // 16 bytes for each of two roots, then 64 floats and as many exponentials.
    expect(needs).toMatchObject({ uploaded: 272, bytes: 32, peakBytes: 32 + 2 * 256 });
  });

  it('what the device has already is not made again, nor what that was made of', () => {
    const w = stored(0, 'w', 4);
    const half = b.exp(w);
    const y = { y: b.add(x, b.neg(half)), z: b.add(x, half) };
    expect(told(of(y))).toEqual(['+w w', 'exp 1 -w', 'neg 1']);
    expect(told(of(y, ({ op }) => op === 'exp'))).toEqual(['neg 1']);
    expect(of(y, () => true)).toMatchObject({ tasks: [], uploaded: 0, peakBytes: 0 });
  });

  it('one reader among several does not free for the others', () => {
    const w = stored(0, 'w', 4);
    const needs = of({ a: b.add(x, b.exp(w)), b: b.add(x, b.neg(w)), c: b.add(x, b.reshape(b.abs(w), [1, 4])) });
    expect(told(needs)).toEqual(['+w w', 'exp 1', 'neg 1', 'abs 1 -w']);
  });

  it('equal constants are one', () => {
    const twice = [0, 1].map(() => b.exp(b.constant(float(4), numbers(4))));
    const needs = of({ y: b.add(b.add(x, twice[0]!), twice[1]!) });
    expect(needs.roots).toHaveLength(1);
    expect(needs.bytes).toBe(16);
  });

  it('a chain of 10,000 constants overflows no stack and takes two buffers', () => {
    let end = stored(0, 'w', 4);
    for (let i = 0; i < 10_000; i++) end = i % 2 ? b.neg(end) : b.exp(end);
    const needs = of({ y: b.add(x, end) });
    expect(needs.tasks).toHaveLength(10_001);
    expect(needs.peakBytes).toBe(48);
  });
});

describe('keys', () => {
  const keys = new ConstantKeys();

  it('bug F3: options that differ in infinity, NaN, the sign of zero or a big integer differ', () => {
    const values = [Infinity, -Infinity, NaN, 0, -0, 1, 1n, '1', 'Infinity', null, ['number', 'NaN']];
    expect(new Set(values.map((value) => keyOf({ value }))).size).toBe(values.length);
    expect(keyOf({ value: 1.5, axes: [0, -1] })).toBe(JSON.stringify({ value: 1.5, axes: [0, -1] }));
    const c = b.constant(float(1), numbers(1));
    const padded = [Infinity, -Infinity, NaN, -0, 0].map((value) => keys.of(b.pad(c, [0], [1], { value })));
    expect(new Set(padded).size).toBe(5);
  });

  it('numbers of the host are known by what they are where they are few, by their array where they are many', () => {
    const small = (): Operand => b.constant(float(4), numbers(4));
    expect(keys.of(small())).toBe(keys.of(small()));
    expect(keys.of(small())).not.toBe(keys.of(b.constant(float(4), numbers(4, 1))));
    expect(keys.of(small())).not.toBe(keys.of(b.constant(float(2, 2), numbers(4))));
    expect(keys.of(b.exp(small()))).toBe(keys.of(b.exp(small())));
    const many = numbers(1000);
    const large = (data: Float32Array): Operand => b.constant(float(1000), data);
    expect(keys.of(large(many))).toBe(keys.of(large(many)));
    expect(keys.of(large(many))).not.toBe(keys.of(large(many.slice())));
  });

  it('a node that is shared again and again has a short key', () => {
    let shared = b.exp(b.constant(float(4), numbers(4)));
    for (let i = 0; i < 200; i++) shared = b.add(shared, shared);
    expect(keys.of(shared).length).toBeLessThan(10);
  });
});

it('bug F8: a source that nothing else holds is not held', async () => {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc') as () => void;
  const keys = new ConstantKeys();
  const source = ((): WeakRef<Float32Array> => {
    const data = numbers(5000);
    keys.of(b.constant(float(5000), data));
    return new WeakRef(data);
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  gc();
  expect(source.deref()).toBeUndefined();
});
