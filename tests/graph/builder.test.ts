import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { leaf, type Operand } from '../../src/graph/ir.ts';
import { plan } from '../../src/graph/plan.ts';
import { capsOf } from '../support/caps.ts';

const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const failing = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.map(escaped).join('.*')) });
const escaped = (text: string): string => text.replace(/[[\]().]/g, '\\$&');

describe('bug F4: names of inputs and states', () => {
  it('an input is there once', () => {
    const b = new GraphBuilder();
    b.input('x', float(2));
    expect(() => b.input('x', float(2))).toThrow(failing('invalid-graph', "'x'", 'float32[2]', 'float32[2]'));
    expect(() => b.input('x', float(3))).toThrow(failing('invalid-graph', "'x'", 'float32[2]', 'float32[3]'));
    b.input('y', float(3));
  });

  it('a state is the same where its type and shape are; others are refused', () => {
    const b = new GraphBuilder();
    const state = b.state('s', float(4, 2));
    expect(b.state('s', float(4, 2))).toBe(state);
    expect(() => b.state('s', float(2, 4))).toThrow(failing('wrong-shape', "'s'", 'float32[4,2]', 'float32[2,4]'));
    expect(() => b.state('s', { dataType: 'float16', shape: [4, 2] })).toThrow(
      failing('wrong-shape', "'s'", 'float32[4,2]', 'float16[4,2]'),
    );
    expect(b.state('s', float(4, 2))).toBe(state);
  });

  it('an input and a state may share a name', () => {
    const b = new GraphBuilder();
    const y = b.add(b.input('x', float(2)), b.state('x', float(2)));
    const { inputs, states } = plan(b.outputs({ y }), capsOf());
    expect([inputs.size, states.size]).toEqual([1, 1]);
  });

  it('leaves of two builders do not meet under one name', () => {
    const of = (kind: 'input' | 'state'): Operand => leaf(kind, float(2), { name: 'x' });
    const b = new GraphBuilder();
    for (const kind of ['input', 'state'] as const)
      expect(() => plan(b.outputs({ y: b.add(of(kind), of(kind)) }), capsOf())).toThrow(
        failing('invalid-graph', `two ${kind}s`, "'x'"),
      );
  });
});

describe('bug F6: an operand has what somebody reads', () => {
  const FIELDS = ['constant', 'dataType', 'inputs', 'label', 'op', 'options', 'results', 'shape'];

  it('and no id', () => {
    const b = new GraphBuilder();
    const x = b.input('x', float(2, 4));
    const [first, second] = b.split(x, 2, { axis: 1 });
    for (const operand of [x, b.state('s', float(2)), b.constant(float(1), new Float32Array(1)), first!, second!])
      expect(Object.keys(operand).sort()).toEqual(FIELDS);
  });

  it('equal graphs are equal, whenever they were built', () => {
    const made = (): Operand => {
      const b = new GraphBuilder();
      return b.relu(b.add(b.input('x', float(2)), b.input('y', float(2))));
    };
    expect(made()).toEqual(made());
  });
});
