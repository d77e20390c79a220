import type { Lowering, Lowerings } from '../lowerer.ts';

/** Files of lowerings, and the ops of each (`tests/onnx/lowerings.test.ts` compares). They load when a graph has one. */
const FILES: Readonly<Record<string, () => Promise<Readonly<Record<string, Lowering>>>>> = {
  control: async () => (await import('./control.ts')).CONTROL,
  math: async () => (await import('./math.ts')).MATH,
  nn: async () => (await import('./nn.ts')).NN,
  reduce: async () => (await import('./reduce.ts')).REDUCE,
  shape: async () => (await import('./shape.ts')).SHAPE,
};

/** All lowerings. */
export async function lowerings(): Promise<Lowerings> {
  const tables = await Promise.all(Object.values(FILES).map((load) => load()));
  return new Map(tables.flatMap((table) => Object.entries(table)));
}
