import { beforeAll, describe, expect, it } from 'vitest';
import { compileOn } from '../../tools/gpu-compiler/compiler.mjs';
import { mesaVersion } from '../../tools/gpu-compiler/drivers.mjs';
import type { Row } from '../../tools/gpu-compiler/dump.mjs';
import { GPUS } from '../../tools/gpu-compiler/gpus.mjs';
import { capsOf, kernelsOf, workloads } from '../../tools/gpu-compiler/kernels.ts';
import { table } from '../../tools/gpu-compiler/table.mjs';

/** The compilers that the tables come from: another Mesa counts other instructions, but spills no more than they do. */
const MESA = '25.0.7';

/** What both compilers make of the kernels for their GPUs, side by side. */
const compiled = new Map(
  (['tgl', 'navi31'] as const).map((name): [string, Promise<readonly Row[]>] => [name, compile(name)]),
);
for (const rows of compiled.values()) rows.catch(() => {}); // told where it is awaited

/**
 * What still keeps registers in memory on Xe-LP (the tables say how many): uint8 by int8 convolutions 5, products of uint8
 * in tiles of 64 rows 1.
 */
const SPILLS = /^(conv2d|matmul)Integer_tiled\[u8/;

async function compile(name: 'tgl' | 'navi31'): Promise<readonly Row[]> {
  return compileOn(name, await kernelsOf(workloads(), 3, capsOf(GPUS[name]!)));
}

describe.each(['tgl', 'navi31'] as const)('what the compiler of %s makes of the first three candidates', (name) => {
  const { vendor } = GPUS[name]!;
  let rows: readonly Row[] = [];
  beforeAll(async () => {
    rows = await compiled.get(name)!;
  });

  it('none keeps a register in memory', () => {
    const spilled = rows.filter(({ spills }) => spills > 0).map((row) => row.name);
    expect(spilled.filter((kernel) => vendor !== 'intel' || !SPILLS.test(kernel))).toEqual([]);
  });

  it('products and convolutions in tiles do little beside multiplying', () => {
    const least = vendor === 'amd' ? 0.95 : 0.8;
    const idle = rows.filter((row) => /_tiled\[/.test(row.name) && !/ragged|split|attention/.test(row.name));
    expect(idle.length).toBeGreaterThan(10);
    const low = idle.filter((row) => row.hot.share < least);
    expect(low.map((row) => `${row.name}: ${hot(row)}`)).toEqual([]);
  });

  it('matrix-vector products of a matrix of 4096 columns multiply in as much as is held here', () => {
    const least = vendor === 'amd' ? { f32: 0.75, f16: 0.65, q8: 0.3 } : { f32: 0.6, f16: 0.38, q8: 0.4 };
    const found = Object.entries(least).map(([type, share]) => {
      const row = rows.find((one) =>
        new RegExp(`^matmul_gemv\\[(f32,)?${type},none,32x4_workgroup_wide`).test(one.name),
      );
      return row && row.hot.share >= share;
    });
    expect(found).toEqual([true, true, true]);
  });

  it('products by subgroup matrices are matrix instructions, where the GPU has them', () => {
    const products = rows.filter((row) => row.name.includes('_matrix['));
    expect(products.length > 0).toBe(GPUS[name]!.matrices !== undefined);
    const idle = products.filter(({ hot }) => !(hot.matrices >= 16 && hot.share >= 0.45));
    expect(idle.map((row) => `${row.name}: ${row.hot.matrices}, ${hot(row)}`)).toEqual([]);
  });

  it.skipIf(mesaVersion() !== MESA)(`the table: a change of a kernel shows as a diff (Mesa ${MESA})`, async () => {
    await expect(`${table(vendor, rows).join('\n')}\n`).toMatchFileSnapshot(`tables/${name}.txt`);
  });
});

const hot = ({ hot: { share } }: Row): string => `${Math.round(100 * share)} %`;

describe('the suite sees', () => {
  it('an array that is indexed dynamically in the hot loop', async () => {
    const code = `
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  var sums: array<vec4f, 32>;
  for (var k = 0u; k < arrayLength(&a); k++) { sums[(k + id.x) % 32u] = fma(a[k], a[k + id.x], sums[(k + id.x) % 32u]); }
  for (var i = 0u; i < 32u; i++) { output[32u * id.x + i] = sums[i]; }
}`;
    const [row] = await compileOn('tgl', [{ name: 'indexed', code }]);
    const good = (await compiled.get('tgl')!).find(({ name }) => name === 'matmul_tiled[f32,none,64x64]');
    expect(row!.hot.share).toBeLessThan(0.5 * good!.hot.share);
  });
});
