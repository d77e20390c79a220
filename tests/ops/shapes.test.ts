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

describe('shapes of resize', () => {
  it.each([
    [{ sizes: [1, 6, 5, 2] }, [1, 6, 5, 2]],
    [{ axes: [-1, 2], sizes: [9, 7] }, [1, 6, 7, 9]],
    [{ axes: [2, 3], scales: [1.4, 0.7] }, [1, 6, 4, 2]],
    [{ axes: [2], scales: [2], roi: [0.5, 1], coordinateTransformation: 'tf_crop_and_resize' as const }, [1, 6, 3, 4]],
  ])('%j gives %j', (options, shape) => {
    expect(b.resize(image, options).shape).toEqual(shape);
  });

  it.each([
    [{}, 'neither sizes nor scales are given'],
    [{ sizes: [2, 3] }, 'sizes needs 4 integers of 1 or more, got [2,3]'],
    [{ axes: [2, -2], sizes: [2, 3] }, 'axes [2,2] name one twice'],
    [{ axes: [4], sizes: [2] }, 'axis 4 is not an axis of rank 4'],
    [{ axes: [2], scales: [0] }, 'scales needs 1 positive numbers, got [0]'],
    [{ axes: [2], scales: [0.2] }, 'axis 2 of [1,6,3,4] becomes 0 long'],
    [{ axes: [2], sizes: [2], coordinateTransformation: 'tf_crop_and_resize' as const }, 'needs roi'],
    [{ axes: [2], sizes: [2], mode: 'cube' as 'cubic' }, 'mode is cube, expected nearest or linear or cubic'],
  ])('%j is refused', (options, message) => {
    expect(() => b.resize(image, options)).toThrow(message);
  });
});

describe('shapes of gridSample, roiAlign and conv3d', () => {
  const volume = float('volume', 1, 4, 5, 6, 7);

  it('are those of the grid, of the regions, of the window', () => {
    expect(b.gridSample(image, float('grid', 1, 8, 9, 2)).shape).toEqual([1, 6, 8, 9]);
    const boxes = b.input('boxes', { dataType: 'int32', shape: [5] });
    expect(b.roiAlign(image, float('rois', 5, 4), boxes, { outputHeight: 2 }).shape).toEqual([5, 6, 2, 1]);
    expect(b.conv3d(volume, float('f', 8, 4, 3, 3, 3), { strides: [1, 2, 2] }).shape).toEqual([1, 8, 3, 2, 3]);
    expect(b.averagePool3d(volume).shape).toEqual([1, 4, 1, 1, 1]);
  });

  it('are refused with the numbers', () => {
    expect(() => b.gridSample(image, float('grid3', 1, 8, 9, 3))).toThrow('got [1,8,9,3]');
    expect(() => b.conv3d(volume, float('g', 8, 3, 3, 3, 3))).toThrow('4 channels and a filter of 3 to 8');
    expect(() => b.conv3d(volume, float('h', 8, 4, 6, 3, 3))).toThrow(
      'the window reaches over 6, the padded input has 5',
    );
    expect(() => b.maxPool3d(volume, { padding: [1, 1] })).toThrow('padding needs 6 integers of 0 or more, got [1,1]');
  });
});
