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

describe('shapes of scatters and of gatherElements', () => {
  let count = 0;
  const indices = (...shape: number[]) => b.input(`indices ${count++}`, { dataType: 'int32', shape });
  const table = float('table', 5, 3, 4);

  it('gatherElements has the shape of its indices, scatters that of their input', () => {
    expect(b.gatherElements(table, indices(2, 9, 4), { axis: 1 }).shape).toEqual([2, 9, 4]);
    const elements = b.scatterElements(table, indices(5, 9, 1), float('updates', 5, 9, 1), { axis: -2 });
    expect(elements.shape).toEqual([5, 3, 4]);
    expect(b.scatterND(table, indices(7, 2), float('slices', 7, 4)).shape).toEqual([5, 3, 4]);
  });

  it.each([
    [() => b.gatherElements(table, indices(5, 3)), 'indices [5,3] do not fit into [5,3,4] beside axis 0'],
    [() => b.gatherElements(table, indices(5, 4, 4)), 'indices [5,4,4] do not fit into [5,3,4] beside axis 0'],
    [() => b.gatherElements(table, indices(5, 3, 4), { axis: 3 }), 'axis 3 is not an axis of rank 3'],
    [() => b.scatterElements(table, indices(5, 3, 4), float('few', 4, 3, 4)), 'updates is [4,3,4], expected [5,3,4]'],
    [() => b.scatterND(table, indices(7, 2), float('rows', 7, 3)), 'updates is [7,3], expected [7,4]'],
    [() => b.scatterND(table, indices(7, 4), float('none', 7)), 'indices of 4 numbers, expected 1 to 3'],
    [
      () => b.scatterND(table, indices(7, 3), float('one', 7), { reduction: 'mean' as 'add' }),
      'reduction is mean, expected none or add or mul or max or min',
    ],
    [
      () => {
        const long = (name: string, ...shape: number[]) => b.input(name, { dataType: 'int64', shape });
        return b.scatterND(long('long', 3), indices(2, 1), long('factors', 2), { reduction: 'mul' });
      },
      'input is int64, expected',
    ],
  ])('%# refused', (make, message) => {
    expect(make).toThrow(message);
  });
});

describe('types and shapes of functions and of what looks along an axis', () => {
  const ints = b.input('ints', { dataType: 'int32', shape: [2, 3] });
  const bytes = b.input('bytes', { dataType: 'uint8', shape: [2, 3] });

  it.each([
    ['isNaN', b.isNaN(float('x', 2)), 'uint8', [2]],
    ['isInfinite', b.isInfinite(float('y')), 'uint8', []],
    ['bitwiseNot', b.bitwiseNot(bytes), 'uint8', [2, 3]],
    ['reduceMax of bytes', b.reduceMax(bytes, { axes: [-1] }), 'uint8', [2]],
    ['values of topK', b.topK(bytes, 2)[0], 'uint8', [2, 2]],
    ['the last of equals', b.argMax(ints, -1, { selectLastIndex: true }), 'int32', [2]],
    ['cumulativeProduct', b.cumulativeProduct(ints, -1), 'int32', [2, 3]],
  ])('%s', (_, { dataType, shape }, type, size) => {
    expect([dataType, shape]).toEqual([type, size]);
  });

  it.each([
    [() => b.cumulativeSum(ints, 2), 'cumulativeSum: axis 2 is not an axis of rank 2'],
    [() => b.cumulativeSum(float('z'), 0), 'cumulativeSum: axis 0 is not an axis of rank 0'],
    [() => b.cumulativeSum(bytes, 0), 'cumulativeSum: input is uint8, expected float32'],
    [() => b.reduceSum(bytes), 'reduceSum: input is uint8, expected float32'],
    [() => b.reduceL2(ints), 'reduceL2: input is int32, expected float32 or float16'],
    [() => b.shiftLeft(ints, ints), 'shiftLeft: a is int32, expected uint32 or uint8'],
    [() => b.mod(ints, bytes), 'mod: b is uint8, a is int32'],
    [() => b.sinh(ints), 'sinh: input is int32, expected float32 or float16'],
  ])('%# refused', (made, message) => {
    expect(made).toThrow(message);
  });
});

describe('shapes of oneHot, tile, triangular and reverseSequence', () => {
  const whole = (name: string, ...shape: number[]) => b.input(name, { dataType: 'int32', shape });
  const places = whole('places', 3, 2);
  const pair = float('pair', 2);

  it.each([
    [() => b.oneHot(places, pair, 5), [3, 2, 5]],
    [() => b.oneHot(places, pair, 5, { axis: 0 }), [5, 3, 2]],
    [() => b.oneHot(places, pair, 5, { axis: -2 }), [3, 5, 2]],
    [() => b.tile(image, [2, 1, 0, 3]), [2, 6, 0, 12]],
    [() => b.triangular(image, { upper: false, diagonal: -7 }), [1, 6, 3, 4]],
    [() => b.reverseSequence(image, whole('turns', 6), { timeAxis: -1 }), [1, 6, 3, 4]],
  ])('%#', (make, shape) => {
    expect(make().shape).toEqual(shape);
  });

  it.each([
    [() => b.oneHot(places, pair, 0), 'depth is 0, expected an integer of 1 or more'],
    [() => b.oneHot(places, float('three', 3), 4), 'values is [3], expected [2]'],
    [() => b.oneHot(places, pair, 4, { axis: 3 }), 'axis 3 is not an axis of rank 3'],
    [() => b.tile(image, [1, 2]), 'repetitions needs 4 integers of 0 or more, got [1,2]'],
    [() => b.tile(image, [1, 2, -1, 1]), 'repetitions needs 4 integers of 0 or more, got [1,2,-1,1]'],
    [() => b.triangular(pair), 'input needs rank 2 or more, got [2]'],
    [() => b.triangular(image, { diagonal: 0.5 }), 'diagonal is 0.5, expected an integer'],
    [() => b.reverseSequence(image, whole('six', 6), { timeAxis: 1 }), 'batchAxis and timeAxis are both axis 1'],
    [() => b.reverseSequence(image, whole('five', 5)), 'lengths is [5], expected [6]'],
  ])('%# refused', (make, message) => {
    expect(make).toThrow(message);
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

describe('poolings', () => {
  it('maxPool2dWithIndices gives indices in the type that is asked for', () => {
    const types = (results: readonly { dataType: string }[]) => results.map(({ dataType }) => dataType);
    expect(types(b.maxPool2dWithIndices(image))).toEqual(['float32', 'int32']);
    expect(types(b.maxPool2dWithIndices(image, { outputDataType: 'int64' }))).toEqual(['float32', 'int64']);
  });

  it.each([
    [() => b.lpPool2d(image, { p: 0 }), 'p is 0, expected an integer of 1 or more'],
    [() => b.lpPool2d(image, { p: 1.5 }), 'p is 1.5, expected an integer of 1 or more'],
    [() => b.maxPool2d(image, { includePadding: true } as object), "maxPool2d has no option 'includePadding'"],
    [
      () => b.maxPool2dWithIndices(image, { outputDataType: 'int8' as 'int32' }),
      'outputDataType is int8, expected int32 or int64',
    ],
  ])('%# refused', (make, message) => {
    expect(make).toThrow(message);
  });
});

describe('shapes of recurrent networks', () => {
  const [input, hidden] = [float('sequence', 5, 2, 3), float('hidden', 2, 2, 4)];
  const [w, r] = [float('w', 1, 16, 3), float('r', 1, 16, 4)];

  it('states, then the hidden state of every step', () => {
    const of = (made: readonly { shape: readonly number[] }[]) => made.map(({ shape }) => shape);
    const both = { direction: 'both', initialHiddenState: hidden } as const;
    const [v, s] = [float('both w', 2, 16, 3), float('both r', 2, 16, 4)];
    expect(of(b.lstm(input, v, s, 5, 4, { ...both, returnSequence: true }))).toEqual([
      [2, 2, 4],
      [2, 2, 4],
      [5, 2, 2, 4],
    ]);
    expect(b.lstm(input, v, s, 5, 4, both)).toHaveLength(2);
    expect(of(b.gru(input, float('gru w', 1, 12, 3), float('gru r', 1, 12, 4), 5, 4))).toEqual([[1, 2, 4]]);
    const [x, h] = [float('cell x', 2, 3), float('cell h', 2, 4)];
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

describe('shapes of rotaryEmbedding', () => {
  const positions = (...shape: number[]) => new GraphBuilder().input(`at ${shape}`, { dataType: 'int32', shape });
  const apart = float('apart', 2, 3, 5, 8);
  const rows = float('rows of heads', 2, 5, 24);
  const angles = (...shape: number[]) => new GraphBuilder().input('angles', { dataType: 'float32', shape });

  it.each([
    [apart, angles(1, 5, 4), {}],
    [apart, angles(2, 5, 8), { heads: 3 }],
    [rows, angles(9, 2), { heads: 3, rotaryEmbeddingDim: 4, positions: positions(1, 5) }],
  ])('%# are those of the input', (input, table, options) => {
    expect(b.rotaryEmbedding(input, table, table, options).shape).toEqual(input.shape);
  });

  it.each([
    [rows, angles(1, 5, 4), {}, 'needs heads'],
    [rows, angles(1, 5, 4), { heads: 5 }, 'heads is 5 (input [2,5,24])'],
    [apart, angles(1, 5, 4), { heads: 2 }, 'heads is 2 (input [2,3,5,8])'],
    [apart, angles(1, 5, 4), { rotaryEmbeddingDim: 3 }, 'rotaryEmbeddingDim is 3, expected an even number from 2 to 8'],
    [apart, angles(1, 5, 4), { rotaryEmbeddingDim: 10 }, 'rotaryEmbeddingDim is 10, expected an even number'],
    [apart, angles(1, 5, 3), {}, 'cos and sin are [1,5,3] and [1,5,3], expected [1 or 2,5,4 or 8]'],
    [apart, angles(1, 4, 4), {}, 'cos is [1,4,4], expected [1 or 2,5,..]'],
    [apart, angles(9, 4), {}, 'cos and sin are [9,4] and [9,4], expected [1 or 2,5,4 or 8]'],
    [apart, angles(9, 4), { positions: positions(2, 4) }, 'positions is [2,4], expected [1 or 2,5]'],
    [apart, angles(9, 4), { positions: positions(5) }, 'positions needs rank 2, got [5]'],
  ])('%# refused', (input, table, options, message) => {
    expect(() => b.rotaryEmbedding(input, table, table, options)).toThrow(message);
  });

  it('cosines and sines of two shapes are refused', () => {
    expect(() => b.rotaryEmbedding(apart, angles(1, 5, 4), angles(2, 5, 4))).toThrow('[1,5,4] and [2,5,4]');
  });
});
