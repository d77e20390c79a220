import { describe, expect, it } from 'vitest';
import { findKernel, piecesOf } from '../../src/cli/kernel-search.ts';
import { kernelText } from '../../src/cli/kernel-text.ts';
import { link } from '../../src/gpu/wgsl.ts';
import { dispatches, variants } from '../support/variants.ts';

/** Lines that a kernel of whole vec4 has less than, as it is printed; and one of other lengths, of int8 by int8, or by subgroup matrices. */
const LINES = 160;
const LONGER = 200;
/** Files that a kernel is linked of, at the most. */
const FILES = 8;

/** Lines without comments and spaces, in any order. */
const bare = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').replace(/\s/g, ''))
    .filter(Boolean)
    .sort();

describe('the text of a kernel', () => {
  it('is what is linked, and comments: of every variant', async () => {
    for (const variant of variants()) {
      const text = await kernelText(piecesOf(variant));
      expect(bare(text)).toEqual(bare(link(variant).code));
    }
  });

  it('names the file and the parts of each piece, and keeps comments', async () => {
    const { candidate } = [...dispatches()].find(
      ({ candidate, caps }) => !caps.software && candidate.label === 'conv2d_tiled[f16,q8,none,16x64]',
    )!;
    const text = await kernelText(piecesOf(candidate.variant));
    expect(text.split('\n').filter((line) => /^\/\/ \S+\.wgsl/.test(line))).toEqual([
      '// gemm_tiled.wgsl (kn)',
      '// lib/operand_a.wgsl (vec4, product, conv2d)',
      '// lib/window.wgsl',
      '// lib/operand_b.wgsl (q8, unpack, kn, whole)',
      '// lib/epilogue.wgsl (product, scale, plain, scales_vec4)',
      '// lib/functions.wgsl (float, identity)',
      '// lib/store.wgsl (vec4)',
      '// lib/elem.wgsl (f16)',
    ]);
    expect(text).toMatch(/^enable f16;\nconst WG_X = /);
    expect(text).toContain('│ C  │    │ C  │    │');
    expect(text).toContain('// For GPUs: Intel');
    expect(text).not.toContain('// ports');
    expect(text).not.toMatch(/nibbles|residual/);
  });

  it(`is less than ${LINES} lines of at most ${FILES} files for products and convolutions`, async () => {
    const seen = new Set<string>();
    for (const { candidate } of dispatches()) {
      const { label, variant } = candidate;
      if (!/^gem/.test(variant.kernel.name) || seen.has(label)) continue;
      seen.add(label);
      const pieces = piecesOf(variant);
      const lines = (await kernelText(pieces)).split('\n').length;
      const most = /ragged|Integer|matrix/.test(label) && !/gemv/.test(label) ? LONGER : LINES;
      expect(lines, label).toBeLessThan(most);
      expect(pieces.modules.length, label).toBeLessThanOrEqual(FILES);
    }
    expect(seen.size).toBeGreaterThan(300);
  });
});

describe('findKernel', () => {
  const plans = [...dispatches()].map((step) => ({ name: step.title, plan: { steps: [step], prepare: [] } }));

  it('numbers the kernels of a label, which differ', async () => {
    const first = await findKernel('matmul_registers[f32,none,4x4]', [plans]);
    expect(first.count).toBeGreaterThan(1);
    const second = await findKernel('matmul_registers[f32,none,4x4] #2', [plans]);
    expect(second).toMatchObject({ label: first.label, number: 2, count: first.count });
    expect(await kernelText(second)).not.toBe(await kernelText(first));
    await expect(findKernel(`${first.label} #${first.count + 1}`, [plans])).rejects.toThrow(
      `there are ${first.count} kernels 'matmul_registers[f32,none,4x4]', no #${first.count + 1}`,
    );
  });

  it('looks in a group of plans only where those before have no such label', async () => {
    const never = (function* () {
      yield plans[0]!;
      throw new Error('was asked');
    })();
    await findKernel('matmul_registers[f32,none,4x4]', [plans, never]);
    await expect(findKernel('matmul', [plans, never])).rejects.toThrow('was asked');
  });

  it('says which labels are near one that there is not', async () => {
    await expect(findKernel('conv2d_tiled[f16,q8,none,16x63]', [plans])).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(
        /there is no kernel 'conv2d_tiled\[f16,q8,none,16x63\]' .*conv2d_tiled\[f16,q8,none,\d+x\d+\]/,
      ),
    });
  });
});
