import type { Lowering, Lowerings } from '../lowerer.ts';

/** Files of lowerings. They load when a model does. */
const FILES: readonly (() => Promise<Readonly<Record<string, Lowering>>>)[] = [
  async () => (await import('./attention.ts')).ATTENTION,
  async () => (await import('./contrib.ts')).CONTRIB,
  async () => (await import('./control.ts')).CONTROL,
  async () => (await import('./image.ts')).IMAGE,
  async () => (await import('./loss.ts')).LOSS,
  async () => (await import('./math.ts')).MATH,
  async () => (await import('./nn.ts')).NN,
  async () => (await import('./quantized.ts')).QUANTIZED,
  async () => (await import('./recurrent.ts')).RECURRENT,
  async () => (await import('./reduce.ts')).REDUCE,
  async () => (await import('./shape.ts')).SHAPE,
  async () => (await import('./signal.ts')).SIGNAL,
  async () => (await import('./text.ts')).TEXT,
];

/** All lowerings. */
export async function lowerings(): Promise<Lowerings> {
  const tables = await Promise.all(FILES.map((load) => load()));
  return new Map(tables.flatMap((table) => Object.entries(table)));
}
