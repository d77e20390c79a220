import { expect, it } from 'vitest';
import type { WgslModule } from '../../src/gpu/wgsl.ts';
import { testEngine } from '../support/engine.ts';

const module = (name: string, line: number, source: string): WgslModule => ({
  name,
  texts: [`${'\n'.repeat(line - 1)}${source}`],
});

it('a compiler message names the file and line it is about', async () => {
  const { gpu } = await testEngine();
  const port = module('port', 10, ' fn helper() -> f32 { return 1.0; }\n fn broken() -> f32 { return 1u; }');
  const kernel = module('kernel', 1, ' @compute @workgroup_size(WG)\nfn main() { let x = helper() + broken(); }');
  await expect(
    gpu.pipelines.get({ kernel, ports: [port], constants: { WG: '1u' } }, 'kernel[broken]'),
  ).rejects.toMatchObject({
    code: 'shader-compile',
    message: expect.stringMatching(/^kernel\[broken\]: port\.wgsl:11: /),
  });
});

it('equal variants are compiled once', async () => {
  const { gpu } = await testEngine();
  const variant = { kernel: module('empty', 1, ' @compute @workgroup_size(1)\nfn main() {}'), ports: [] };
  const before = gpu.counters.pipelines;
  const [a, b] = await Promise.all([gpu.pipelines.get(variant, 'a'), gpu.pipelines.get({ ...variant }, 'b')]);
  expect(a).toBe(b);
  expect(gpu.counters.pipelines).toBe(before + 1);
});
