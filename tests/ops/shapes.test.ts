import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';

const b = new GraphBuilder();
const float = (name: string, ...shape: number[]) => b.input(name, { dataType: 'float32', shape });
const image = float('image', 1, 6, 3, 4);
const filter = float('filter', 6, 2, 3, 3);

describe('shapes of convTranspose2d', () => {
  it.each([
    [{}, [1, 2, 5, 6]],
    [{ groups: 3 }, [1, 6, 5, 6]],
    [{ strides: [2, 3], padding: [1, 1, 0, 2] }, [1, 2, 5, 10]],
    [{ strides: [2, 3], outputPadding: [1, 2] }, [1, 2, 8, 14]],
    [{ strides: [2, 3], outputSizes: [7, 13] }, [1, 2, 7, 13]],
    [{ strides: [2, 3], outputSizes: [7, 13], outputPadding: [1, 1] }, [1, 2, 7, 13]],
    [{ dilations: [2, 3] }, [1, 2, 7, 10]],
  ])('%j gives %j', (options, shape) => {
    expect(b.convTranspose2d(image, filter, options).shape).toEqual(shape);
  });

  it.each([
    [{ outputPadding: [1, 0] }, 'output [6,6], expected [5,6] and less than a stride of [1,1] more'],
    [{ strides: [2, 2], outputSizes: [6, 9] }, 'output [6,9], expected [7,9] and less than a stride'],
    [{ strides: [2, 2], outputSizes: [9, 9] }, 'output [9,9], expected [7,9] and less than a stride'],
    [{ outputSizes: [5.5, 6] }, 'outputSizes needs 2 integers of 1 or more, got [5.5,6]'],
    [{ outputPadding: [-1, 0] }, 'outputPadding needs 2 integers of 0 or more, got [-1,0]'],
    [{ padding: [3, 3, 0, 0] }, 'outputSizes needs 2 integers of 1 or more, got [-1,6]'],
    [{ padding: [1, 1] }, 'padding needs 4 integers of 0 or more, got [1,1]'],
    [{ strides: [0, 1] }, 'strides needs 2 integers of 1 or more, got [0,1]'],
    [{ groups: 4 }, '6 input channels do not divide into 4 groups'],
    [{ groups: 1.5 }, '6 input channels do not divide into 1.5 groups'],
    [{ filterLayout: 'hwoi' as const }, 'input has 6 channels, filter expects 3'],
    [{ bias: float('bias', 6) }, 'bias is [6], expected [2]'],
  ])('%j is refused', (options, message) => {
    expect(() => b.convTranspose2d(image, filter, options)).toThrow(message);
  });
});

describe('shapes of gatherND', () => {
  const indices = (...shape: number[]) => b.input(`${shape}`, { dataType: 'int32', shape });

  it.each([
    [indices(5, 2), [5, 3, 4]],
    [indices(4), []],
    [indices(2, 3, 1), [2, 3, 6, 3, 4]],
  ])('%# a slice for each row of indices', (rows, shape) => {
    expect(b.gatherND(image, rows).shape).toEqual(shape);
  });

  it.each([
    [indices(2, 5), 'indices of 5 numbers, expected 1 to 4'],
    [indices(2, 0), 'indices of 0 numbers, expected 1 to 4'],
    [indices(), 'indices needs rank 1 or more, got []'],
    [float('floats', 2, 2), 'indices is float32, expected int32 or uint32'],
  ])('%# refused', (rows, message) => {
    expect(() => b.gatherND(image, rows)).toThrow(message);
  });
});

describe('shapes of recurrent networks', () => {
  const [input, hidden] = [float('sequence', 5, 2, 3), float('hidden', 2, 2, 4)];
  const [w, r] = [float('w', 1, 16, 3), float('r', 1, 16, 4)];

  it('states, then the hidden state of every step', () => {
    const of = (made: readonly { shape: readonly number[] }[]) => made.map(({ shape }) => shape);
    const both = { direction: 'both', initialHiddenState: hidden } as const;
    const [v, s] = [float('v', 2, 16, 3), float('s', 2, 16, 4)];
    expect(of(b.lstm(input, v, s, 5, 4, { ...both, returnSequence: true }))).toEqual([
      [2, 2, 4],
      [2, 2, 4],
      [5, 2, 2, 4],
    ]);
    expect(b.lstm(input, v, s, 5, 4, both)).toHaveLength(2);
    expect(of(b.gru(input, float('u', 1, 12, 3), float('t', 1, 12, 4), 5, 4))).toEqual([[1, 2, 4]]);
    const [x, h] = [float('x', 2, 3), float('h', 2, 4)];
    expect(b.gruCell(x, float('cell w', 12, 3), float('cell r', 12, 4), h, 4).shape).toEqual([2, 4]);
  });

  const lengths = b.input('lengths', { dataType: 'int32', shape: [3] });
  it.each([
    [{ layout: 'zrn' }, "layout is 'zrn', expected iofg or ifgo"],
    [{ direction: 'sideways' }, "direction is 'sideways', expected forward, backward or both"],
    [{ direction: 'both' }, 'weight is [1,16,3], expected [2,16,3]'],
    [{ activations: ['relu'] }, '1 activations, expected 3'],
    [{ activations: ['relu', 'gelu', 'tanh'] }, "activation 'gelu', expected sigmoid, tanh"],
    [{ clip: -1 }, 'clip is -1, expected 0 or more'],
    [{ initialHiddenState: hidden }, 'initialHiddenState is [2,2,4], expected [1,2,4]'],
    [{ peepholeWeight: float('peephole', 1, 16) }, 'peepholeWeight is [1,16], expected [1,12]'],
    [{ sequenceLengths: lengths }, 'sequenceLengths is [3], expected [2]'],
    [{ resetAfter: true }, "lstm has no option 'resetAfter'"],
  ])('%# of lstm refused', (options, message) => {
    expect(() => b.lstm(input, w, r, 5, 4, options as object)).toThrow(message);
  });

  it('steps and hiddenSize are those of the operands', () => {
    expect(() => b.lstm(input, w, r, 4, 4)).toThrow('steps is 4, input [5,2,3] has 5');
    expect(() => b.lstm(input, w, r, 5, 5)).toThrow('weight is [1,16,3], expected [1,20,3]');
    expect(() => b.lstm(input, w, r, 5, 0)).toThrow('hiddenSize is 0, expected an integer of 1 or more');
  });
});
