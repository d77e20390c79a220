import { expect, it } from 'vitest';
import '../support/ops.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from '../../src/formats/onnx-model.ts';
import { lowerings } from '../../src/onnx/lower/index.ts';
import { Lowerer } from '../../src/onnx/lowerer.ts';
import { known, type Tensor } from '../../src/onnx/values.ts';

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
  domain = '',
): OnnxNode => ({
  op,
  domain,
  overload: '',
  name: '',
  inputs,
  outputs,
  attributes: new Map(Object.entries(attributes)),
});

const graph = (name: string, nodes: OnnxNode[], ...outputs: string[]): OnnxGraph => ({
  name,
  nodes,
  initializers: [],
  inputs: [],
  outputs: outputs.map((output) => ({ name: output, type: undefined })),
});

const opsets = new Map([['', 18]]);

it('a graph inside a function has the attributes of the call of the function', async () => {
  const branch = graph('then', [node('LeakyRelu', ['x'], ['leaky'], { alpha: { ref: 'slope' } })], 'leaky');
  const body: OnnxFunction = {
    name: 'Leaky',
    domain: 'own',
    overload: '',
    inputs: ['x', 'condition'],
    outputs: ['y'],
    nodes: [node('If', ['condition'], ['y'], { then_branch: branch, else_branch: branch })],
    attributes: ['slope'],
    defaults: new Map([['slope', 0.5]]),
    opsets,
  };
  const model: OnnxModel = {
    name: 'model.onnx',
    producer: '',
    opsets,
    graph: graph(
      'main',
      [
        node('Leaky', ['x', 'condition'], ['given'], { slope: 0.25 }, 'own'),
        node('Leaky', ['x', 'condition'], ['default'], {}, 'own'),
      ],
      'given',
      'default',
    ),
    functions: [body],
    metadata: new Map(),
  };
  const facts = { files: new Map(), found: new Map() };
  const lowerer = new Lowerer(model, await lowerings(), facts, 'float32', new Map());
  const inputs = new Map([
    ['x', lowerer.input('x', 'float', [2])],
    ['condition', known('bool', [], [1])],
  ]);
  const made = lowerer.lower(inputs).map((value) => (value as Tensor).operand!);
  expect(made.map(({ op, options }) => [op, options])).toEqual([
    ['leakyRelu', { alpha: 0.25 }],
    ['leakyRelu', { alpha: 0.5 }],
  ]);
});
