// Compiles kernels one by one with the driver that this process has: `node compile.mjs FILE`, a JSON list of { name, code, entry?, constants? }.
// The driver prints what it made of each on standard error, after a line `@@ NAME`.
import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const [file = ''] = process.argv.slice(2);
const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error('the driver shows no GPU');
const limits = /** @type {const} */ ([
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxStorageBuffersPerShaderStage',
]);
const device = await adapter.requestDevice({
  requiredFeatures: /** @type {GPUFeatureName[]} */ ([...adapter.features]),
  requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
});
let failed = 0;
for (const { name, code, entry = 'main', constants } of JSON.parse(readFileSync(file, 'utf8'))) {
  process.stderr.write(`@@ ${name}\n`);
  const module = device.createShaderModule({ code });
  const compute = { module, entryPoint: entry, ...(constants && { constants }) };
  try {
    await device.createComputePipelineAsync({ layout: 'auto', compute });
  } catch (error) {
    failed++;
    const { messages } = await module.getCompilationInfo();
    const lines = messages.map(({ lineNum, message }) => `line ${lineNum}: ${message}`);
    process.stderr.write(`${[name, ...lines, error instanceof Error ? error.message : error].join('\n')}\n`);
  }
}
process.exit(failed ? 1 : 0);
