import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { run } from '../../tools/system.mjs';
import { findVulkanDriver, vulkanEnv } from '../../tools/vulkan.mjs';
import { encodeModel, node } from '../support/onnx.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers that the weights repeat, 1 MiB of them. */
const BLOCK = Float32Array.from({ length: 2 ** 18 }, (_, i) => Math.sin(i) / 100);
const at = (flat: number): number => BLOCK[flat % BLOCK.length]!;
const IDS = [3, 400];
const WIDE = 1024;

/** A table of rows and three products. Their weights take 504 MB, in a file of their own, where `share` is 1. */
function writeModel(name: string, share: number): { path: string; bytes: number; starts: Record<string, number> } {
  const [rows, inner, columns] = [32000 * share, 32768 * share, 25600 * share];
  const shapes = { table: [rows, WIDE], up: [WIDE, inner], down: [inner, WIDE], out: [columns, WIDE] };
  const starts: Record<string, number> = {};
  let bytes = 0;
  const initializers = Object.entries(shapes).map(([name, dims]) => {
    starts[name] = bytes / 4;
    const length = 4 * dims[0]! * dims[1]!;
    const external = { location: 'weights.bin', offset: `${bytes}`, length: `${length}` };
    bytes += length;
    return { name, type: 'float' as const, dims, external };
  });
  mkdirSync(join(folder, name));
  const file = openSync(join(folder, name, 'weights.bin'), 'w');
  for (let done = 0; done < bytes; done += BLOCK.byteLength)
    writeSync(file, new Uint8Array(BLOCK.buffer, 0, Math.min(BLOCK.byteLength, bytes - done)));
  closeSync(file);
  const nodes = [
    node('Gather', ['table', 'ids'], ['a']),
    node('MatMul', ['a', 'up'], ['b']),
    node('MatMul', ['b', 'down'], ['c']),
    node('Gemm', ['c', 'out'], ['y'], { transB: 1 }),
  ];
  const path = join(folder, name, 'model.onnx');
  const outputs = [['y', 'float', [2, columns]]] as const;
  writeFileSync(path, encodeModel({ nodes, inputs: [['ids', 'int64', [2]]], outputs, initializers }));
  return { path, bytes, starts };
}

const driver = findVulkanDriver();

it.skipIf(!driver || process.platform !== 'linux')(
  'an ONNX file with 504 MB of external data takes less than 64 MB of the host',
  async () => {
    await build({ only: ['lib'], log: () => {} });
    const [small, large] = [writeModel('small', 1 / 64), writeModel('large', 1)];
    expect(large.bytes).toBeGreaterThan(500e6);
    const library = join(ROOT, 'dist/lib/node.js');
    const args = ['--expose-gc', join(ROOT, 'tests/package/peak.mjs'), library, small.path, large.path, `${IDS}`];
    const { ok, stdout, output } = await run(process.execPath, args, { env: vulkanEnv(driver!.icd) });
    if (!ok) throw new Error(output);
    const { host, arrays, device, dims, y } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    console.log(`host ${(host / 1e6).toFixed(1)} MB, of that arrays ${(arrays / 1e6).toFixed(1)} MB`);
    // All weights are on the device, and what comes of them is right: the bytes were not left out.
    expect(device).toBeGreaterThan(large.bytes - 1e6);
    expect(dims).toEqual([2, 25600]);
    const { table, up, down, out } = large.starts as Record<'table' | 'up' | 'down' | 'out', number>;
    const row = Array.from({ length: WIDE }, (_, k) => at(table + IDS[0]! * WIDE + k));
    const product = (line: readonly number[], size: number, weight: (k: number, column: number) => number): number[] =>
      Array.from({ length: size }, (_, column) => line.reduce((sum, value, k) => sum + value * weight(k, column), 0));
    const b = product(row, 32768, (k, column) => at(up + k * 32768 + column));
    const c = product(b, WIDE, (k, column) => at(down + k * WIDE + column));
    const expected = product(c, y.length, (k, column) => at(out + column * WIDE + k));
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, value] of expected.entries()) expect(Math.abs(y[i] - value)).toBeLessThan(1e-3 * largest);
    expect(arrays).toBeGreaterThan(0);
    expect(host).toBeLessThan(64e6);
  },
  180_000,
);
