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
