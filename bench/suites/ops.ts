import { attentionName, layerName } from '../cases.ts';
import { attentionGraph, convGraph, elementwiseGraph, matmulGraph, softmaxGraph } from '../graphs.ts';
import type { BenchDataType } from '../report.ts';
import { type Case, type Context, type Suite, timeGraph, typesOf } from './case.ts';

/** Operands without weights are float32 or float16. */
const FLOATS = ['float32', 'float16'] as const satisfies BenchDataType[];

/** Every type with every shape of a list. */
function cases<Shape>(
  context: Context,
  dtypes: readonly BenchDataType[],
  shapes: readonly Shape[],
  make: (shape: Shape, dtype: BenchDataType) => Omit<Case, 'dtype'>,
): Case[] {
  return typesOf(context, dtypes).flatMap((dtype) => shapes.map((shape) => ({ dtype, ...make(shape, dtype) })));
}

/** Square products. */
export const matmul: Suite = (context) =>
  cases(context, context.preset.dtypes, context.preset.matmul, (size, dtype) => ({
    suite: 'matmul',
    name: 'matmul',
    shape: `${size}x${size}x${size}`,
    flops: 2 * size ** 3,
    run: () => timeGraph(context, dtype, () => matmulGraph(context.recorder.engine, [size, size, size], dtype)),
  }));

/** A row times a matrix, as in decoding. */
export const gemv: Suite = (context) =>
  cases(context, context.preset.dtypes, context.preset.gemv, ([k, n], dtype) => ({
    suite: 'gemv',
    name: 'gemv',
    shape: `${k}x${n}`,
    flops: 2 * k * n,
    run: () => timeGraph(context, dtype, () => matmulGraph(context.recorder.engine, [1, k, n], dtype)),
  }));

/** Layers of published networks. */
export const conv: Suite = (context) =>
  cases(context, context.preset.convDtypes, context.preset.conv, (layer, dtype) => ({
    suite: 'conv',
    name: `conv2d ${layerName(layer)}`,
    shape: `${layer.size}x${layer.size}x${layer.channels}->${layer.out}`,
    run: () => timeGraph(context, dtype, () => convGraph(context.recorder.engine, layer, dtype)),
  }));

/** Every query sees every key. */
export const attention: Suite = (context) =>
  cases(context, FLOATS, context.preset.attention, (shape, dtype) => ({
    suite: 'attention',
    name: 'attention',
    shape: attentionName(shape),
    run: () => timeGraph(context, dtype, () => attentionGraph(context.recorder.engine, shape, dtype)),
  }));

/** Along rows: of attention's scores, and of a vocabulary. */
export const softmax: Suite = (context) =>
  cases(context, FLOATS, context.preset.softmax, ([rows, columns], dtype) => ({
    suite: 'softmax',
    name: 'softmax',
    shape: `${rows}x${columns}`,
    run: () => timeGraph(context, dtype, () => softmaxGraph(context.recorder.engine, [rows, columns], dtype)),
  }));

/** What memory alone decides, and what takes some arithmetic an element. */
export const elementwise: Suite = (context) =>
  (['add', 'gelu'] as const).flatMap((op) =>
    cases(context, FLOATS, context.preset.elementwise, (count, dtype) => ({
      suite: 'elementwise',
      name: op,
      shape: `${count}`,
      run: () => timeGraph(context, dtype, () => elementwiseGraph(context.recorder.engine, op, count, dtype)),
    })),
  );
