import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cli } from '../../src/cli/program.ts';
import { findVulkanDriver, vulkanEnv } from '../../tools/vulkan.mjs';
import { encodeModel, floats, node } from '../support/onnx.ts';

const driver = findVulkanDriver({ here: true });
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

describe.runIf(driver)('a kernel that is wrong', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    // What is set aside here is so for this test alone. The driver is found once, when the addon comes.
    Object.assign(process.env, vulkanEnv(driver!.icd), { XDG_CACHE_HOME: folder });
    const { globals } = await import('webgpu');
    const { prototype } = (globals as unknown as { GPUDevice: { prototype: GPUDevice } }).GPUDevice;
    const create = prototype.createShaderModule;
    prototype.createShaderModule = function (module) {
      const wrong = module.label === 'binary[float32,mul]';
      const code = wrong ? module.code.replace(/output\[i\] ?=/, 'output[i ^ 1u]=') : module.code;
      return create.call(this, { ...module, code });
    };
    const model = {
      inputs: [['x', 'float', [2, 3]] as const],
      outputs: [['y', 'float', [2, 3]] as const],
      initializers: [floats('two', [1], [2])],
      nodes: [node('Relu', ['x'], ['a']), { ...node('Mul', ['a', 'two'], ['y']), name: 'scale' }],
    };
    writeFileSync(at('m.onnx'), encodeModel(model));
  });

  it('is named with its node, which is written alone', async () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const args = ['verify', at('m.onnx'), '--runtime', 'dawn', '--save', at('off.onnx')];
    await cli(args);
    await cli(['verify', at('off.onnx'), '--forget', '--runtime', 'dawn', '--save', at('again.onnx')]);
    await cli(['inspect', at('off.onnx'), '--json']);
    const [told, inspected] = [out, err].map(({ mock }) => mock.calls.map(([text]) => String(text)).join(''));
    vi.restoreAllMocks();
    expect(told, inspected).toMatch(/^binary\[float32,mul\] on .*\n {2}\[.*\] .*\n {2}replaced by binary_strided/m);
    const cases = told!.split('\n').filter((line) => line.startsWith('binary[float32,mul] on '));
    expect(cases).toEqual([cases[0], cases[0]]); // the file alone checks the same again
    expect(told).toContain(`the first node that is off, scale, alone: ${at('off.onnx')}`);
    const report = JSON.parse(told!.slice(told!.lastIndexOf('\n{') + 1));
    expect(report).toMatchObject({ ops: { Mul: 1 }, inputs: [{ name: 'a', type: 'float', dims: [2, 3] }], tensors: 1 });
    expect(readFileSync(at('off.onnx')).length).toBeLessThan(300);
  });
});
