import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { known, type Tensor } from '../values.ts';

const gridSample: Lowering = (call) => {
  const mode = call.choice('mode', 'linear', ['linear', 'nearest', 'cubic', 'bilinear', 'bicubic']);
  const options = {
    mode: mode.replace(/^bi/, ''),
    paddingMode: call.choice('padding_mode', 'zeros', ['zeros', 'border', 'reflection']),
    alignCorners: call.flag('align_corners'),
  };
  return call.made(call.add('gridSample', { input: call.operand(0), grid: call.operand(1) }, options));
};

const roiAlign: Lowering = (call) => {
  const options = {
    mode: call.choice('mode', 'avg', ['avg', 'max']),
    outputHeight: call.int('output_height', 1),
    outputWidth: call.int('output_width', 1),
    samplingRatio: call.int('sampling_ratio', 0),
    spatialScale: call.float('spatial_scale', 1),
    coordinateTransformation: call.choice(
      'coordinate_transformation_mode',
      call.opset < 16 ? 'output_half_pixel' : 'half_pixel',
      ['half_pixel', 'output_half_pixel'],
    ),
  };
  const inputs = { input: call.operand(0), rois: call.operand(1), batchIndices: call.operand(2) };
  return call.made(call.add('roiAlign', inputs, options));
};

/** The grid [N, (D,) H, W, axes] of affine maps theta [N, axes, axes + 1]. */
function affineGrid(call: Call): Tensor {
  const [n, , ...sizes] = call.numbers(1) as [number, number, ...number[]];
  const aligned = call.flag('align_corners');
  const count = elementCount(sizes);
  const coordinate = (i: number, size: number): number =>
    aligned ? (size > 1 ? -1 + (2 * i) / (size - 1) : -1) : -1 + (2 * i + 1) / size;
  const rows: number[] = [];
  for (let flat = 0; flat < count; flat++) {
    let rest = flat;
    const at = sizes.map(() => 0);
    for (let d = sizes.length - 1; d >= 0; d--) {
      at[d] = coordinate(rest % sizes[d]!, sizes[d]!);
      rest = Math.floor(rest / sizes[d]!);
    }
    rows.push(...at.reverse(), 1);
  }
  const theta = call.operand(0);
  const points = call.constant(call.tensor(0).type, [1, count, sizes.length + 1], rows);
  const made = call.add('matmul', { a: points, b: call.transpose(theta, [0, 2, 1]) });
  return call.made(call.reshape(made, [n, ...sizes, sizes.length]));
}

/** Sums the columns of windows back into an image: each place of the window is added at its pixels. */
function col2Im(call: Call): Tensor {
  const [image, block] = [call.numbers(1), call.numbers(2)];
  const ones = image.map(() => 1);
  const [strides, dilations] = [call.ints('strides', ones), call.ints('dilations', ones)];
  const pads = call.ints(
    'pads',
    [...image, ...image].map(() => 0),
  );
  const [n, width, columns] = call.tensor(0).shape as [number, number, number];
  const taps = elementCount(block);
  const channels = width / taps;
  const axes = image.length;
  const windows = image.map(
    (size, d) =>
      Math.floor((size + pads[d]! + pads[d + axes]! - (dilations[d]! * (block[d]! - 1) + 1)) / strides[d]!) + 1,
  );
  if (elementCount(windows) !== columns) call.fail(`${columns} columns, the image has [${windows}] windows`);
  const padded = image.map((size, d) => size + pads[d]! + pads[d + axes]!);
  // Of each column and tap: the pixel of the padded image.
  const place = (flat: number): number => {
    const [tap, column] = [Math.floor(flat / columns), flat % columns];
    let [t, c, at, stride] = [tap, column, 0, 1];
    for (let d = axes - 1; d >= 0; d--) {
      at += stride * ((c % windows[d]!) * strides[d]! + (t % block[d]!) * dilations[d]!);
      t = Math.floor(t / block[d]!);
      c = Math.floor(c / windows[d]!);
      stride *= padded[d]!;
    }
    return at;
  };
  const count = taps * columns;
  const size = elementCount(padded);
  const updates = call.transpose(call.reshape(call.operand(0), [n * channels, count]), [1, 0]);
  const indices = call.constant(
    'int32',
    [count, 1],
    call.list(count, (i) => place(i)),
  );
  const zero = call.add(
    'expand',
    { input: call.constant(call.tensor(0).type, [1, 1], [0]) },
    { newShape: [size, n * channels] },
  );
  const sums = call.add('scatterND', { input: zero, indices, updates }, { reduction: 'add' });
  const whole = call.reshape(call.transpose(sums, [1, 0]), [n, channels, ...padded]);
  const starts = [0, 0, ...pads.slice(0, axes)];
  return call.made(call.add('slice', { input: whole }, { starts, sizes: [n, channels, ...image] }));
}

/** Cuts the middle out of axes, or pads them to both sides. */
function centerCropPad(call: Call): Tensor {
  const data = call.tensor(0);
  const rank = data.shape.length;
  const axes = (call.ints('axes', undefined) ?? data.shape.map((_, d) => d)).map((axis) => call.axis(axis, rank));
  const wanted = [...data.shape];
  for (const [i, size] of call.numbers(1).entries()) wanted[axes[i]!] = size;
  const starts = data.shape.map((size, d) => Math.max(0, Math.floor((size - wanted[d]!) / 2)));
  const sizes = data.shape.map((size, d) => Math.min(size, wanted[d]!));
  const cut = call.add('slice', { input: call.operand(0) }, { starts, sizes });
  const beginningPadding = sizes.map((size, d) => Math.floor((wanted[d]! - size) / 2));
  const endingPadding = sizes.map((size, d) => wanted[d]! - size - beginningPadding[d]!);
  return call.made(call.add('pad', { input: cut }, { beginningPadding, endingPadding }));
}

/** Boxes that overlap a better one are left out. Scores and boxes come to the host: the result's size hangs on them. */
function nonMaxSuppression(call: Call): Tensor {
  const [boxes, scores] = [call.known(0).map(Number), call.known(1).map(Number)];
  const [batches, count] = call.tensor(0).shape as [number, number];
  const classes = call.tensor(1).shape[1]!;
  const number = (i: number, otherwise: number): number => (call.optional(i) ? Number(call.scalar(i)) : otherwise);
  const [most, overlap, least] = [number(2, 0), number(3, 0), number(4, Number.NEGATIVE_INFINITY)];
  const centred = call.flag('center_point_box');
  /** Top, left, bottom, right. */
  const corners = (at: number): readonly [number, number, number, number] => {
    const [a, b, c, d] = boxes.slice(4 * at, 4 * at + 4) as [number, number, number, number];
    if (centred) return [b - d / 2, a - c / 2, b + d / 2, a + c / 2];
    return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
  };
  const area = ([top, left, bottom, right]: readonly number[]): number => (bottom! - top!) * (right! - left!);
  const shared = (a: readonly number[], b: readonly number[]): number => {
    const height = Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!);
    const width = Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!);
    if (height <= 0 || width <= 0) return 0;
    return (height * width) / (area(a) + area(b) - height * width);
  };
  const picked: number[] = [];
  for (let batch = 0; batch < batches; batch++)
    for (let kind = 0; kind < classes; kind++) {
      const own = (i: number): number => scores[(batch * classes + kind) * count + i]!;
      const order = Array.from({ length: count }, (_, i) => i)
        .filter((i) => own(i) > least)
        .sort((i, j) => own(j) - own(i) || i - j);
      const kept: number[] = [];
      for (const i of order) {
        if (kept.length >= most) break;
        const box = corners(batch * count + i);
        if (kept.every((other) => shared(box, corners(batch * count + other)) <= overlap)) kept.push(i);
      }
      for (const i of kept) picked.push(batch, kind, i);
    }
  return known('int64', [picked.length / 3, 3], picked);
}

/** The determinants of matrices, by elimination over small sizes; 1, 2 and 3 in closed form. */
function determinant(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const size = shape.at(-1)!;
  const lead = shape.slice(0, -2);
  const input = call.reshape(call.operand(0), [elementCount(lead), size * size]);
  const at = (i: number, j: number): Operand => {
    const starts = [0, i * size + j];
    return call.add('slice', { input }, { starts, sizes: [input.shape[0]!, 1] });
  };
  const product = (a: Operand, b: Operand): Operand => call.add('mul', { a, b });
  const minor = (rows: readonly number[], columns: readonly number[]): Operand => {
    if (rows.length === 1) return at(rows[0]!, columns[0]!);
    const [row, ...others] = rows as [number, ...number[]];
    return columns
      .map((column, i) => ({
        term: product(
          at(row, column),
          minor(
            others,
            columns.filter((one) => one !== column),
          ),
        ),
        i,
      }))
      .reduce<Operand | undefined>(
        (sum, { term, i }) => (sum ? call.add(i % 2 ? 'sub' : 'add', { a: sum, b: term }) : term),
        undefined,
      )!;
  };
  if (size > 4) call.unsupported(`matrices of ${size} × ${size}, 4 × 4 at most`);
  const axes = Array.from({ length: size }, (_, i) => i);
  return call.made(call.reshape(minor(axes, axes), lead));
}

export const IMAGE: Readonly<Record<string, Lowering>> = {
  GridSample: gridSample,
  RoiAlign: roiAlign,
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  CenterCropPad: centerCropPad,
  NonMaxSuppression: nonMaxSuppression,
  Det: determinant,
};
