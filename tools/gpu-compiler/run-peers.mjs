// Runs the engines of bench/peers with the driver that this process has: `node run-peers.mjs FILE NAME...` does the workloads of these
// names. What each dispatches goes to FILE as JSON, a list of Run. Pipelines are compiled one by one; the driver prints what it made of
// each on standard error, after a line `@@ NAME`.
import { writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { loadKernels } from './compiler.mjs';

/**
 * @typedef {object} Dispatch
 * @property {string} name of the kernel: one of the lines `@@ NAME`
 * @property {string} code
 * @property {readonly number[]} workgroups
 * @property {readonly number[]} bindings the bytes of each that is storage
 *
 * @typedef {object} Run a second run: weights are where they stay, and everything is compiled
 * @property {string} engine
 * @property {string} version
 * @property {string} workload
 * @property {readonly Dispatch[]} dispatches
 * @property {string} [error] why there are none
 */

Object.assign(globalThis, globals);
const gpu = create([]); // what a browser has, and no experiments
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });

let engine = '';
/** @type {Dispatch[]} */
let dispatches = [];

/** @type {WeakMap<object, string>} the WGSL of modules */
const codes = new WeakMap();
/** @type {WeakMap<object, Pick<Dispatch, 'name' | 'code'>>} the kernels of pipelines */
const kernels = new WeakMap();
/** @type {Map<string, string>} the names of kernels by what distinguishes them */
const names = new Map();
/** @type {WeakMap<object, number[]>} the bytes of storage that groups bind */
const groups = new WeakMap();
/** @type {WeakMap<object, { pipeline: object, groups: Map<number, object | null> }>} */
const passes = new WeakMap();

const device = GPUDevice.prototype;
const { createShaderModule, createComputePipeline, createBindGroup } = device;
device.createShaderModule = function (/** @type {GPUShaderModuleDescriptor} */ descriptor) {
  const module = createShaderModule.call(this, descriptor);
  codes.set(module, descriptor.code);
  return module;
};
device.createComputePipeline = function (/** @type {GPUComputePipelineDescriptor} */ descriptor) {
  const { module, entryPoint, constants } = descriptor.compute;
  const code = codes.get(module) ?? '';
  const key = JSON.stringify([engine, code, entryPoint, constants]);
  const name = names.get(key) ?? `${engine} ${descriptor.label || module.label || 'kernel'} #${names.size + 1}`;
  names.set(key, name);
  process.stderr.write(`@@ ${name}\n`);
  const pipeline = createComputePipeline.call(this, descriptor);
  kernels.set(pipeline, { name, code });
  return pipeline;
};
device.createComputePipelineAsync = async function (/** @type {GPUComputePipelineDescriptor} */ descriptor) {
  return this.createComputePipeline(descriptor); // two that compile side by side would print into one another
};
device.createBindGroup = function (/** @type {GPUBindGroupDescriptor} */ descriptor) {
  const bytes = [...descriptor.entries].flatMap(({ resource }) => {
    const { buffer, offset = 0, size } = 'buffer' in resource ? resource : { buffer: resource };
    if (!(buffer instanceof GPUBuffer)) throw new Error('a peer binds something that is no buffer');
    return buffer.usage & GPUBufferUsage.UNIFORM ? [] : [size ?? buffer.size - offset];
  });
  const group = createBindGroup.call(this, descriptor);
  groups.set(group, bytes);
  return group;
};

const pass = GPUComputePassEncoder.prototype;
const { setPipeline, setBindGroup, dispatchWorkgroups } = pass;
const stateOf = (/** @type {object} */ encoder) => {
  const state = passes.get(encoder) ?? { pipeline: {}, groups: new Map() };
  passes.set(encoder, state);
  return state;
};
pass.setPipeline = function (/** @type {GPUComputePipeline} */ pipeline) {
  stateOf(this).pipeline = pipeline;
  return setPipeline.call(this, pipeline);
};
pass.setBindGroup = bind;
/** @this {GPUComputePassEncoder} @param {[index: number, group: GPUBindGroup | null, ...offsets: any[]]} args */
function bind(...args) {
  stateOf(this).groups.set(args[0], args[1]);
  return setBindGroup.apply(this, /** @type {Parameters<typeof setBindGroup>} */ (/** @type {unknown} */ (args)));
}
pass.dispatchWorkgroups = function (/** @type {number} */ x, y = 1, z = 1) {
  const { pipeline, groups: bound } = stateOf(this);
  const kernel = kernels.get(pipeline);
  if (!kernel) throw new Error('a peer dispatches a pipeline that was not seen');
  const bindings = [...bound.values()].flatMap((group) => (group && groups.get(group)) ?? []);
  dispatches.push({ ...kernel, workgroups: [x, y, z], bindings });
  return dispatchWorkgroups.call(this, x, y, z);
};
pass.dispatchWorkgroupsIndirect = () => {
  throw new Error('a peer takes the number of its workgroups from a buffer, which nothing has written here');
};

const [file = '', ...asked] = process.argv.slice(2);
const { peersOnGpu, workloads } = await loadKernels();

/** @type {Run[]} */
const runs = [];
for (const [name, open] of await peersOnGpu()) {
  engine = name;
  const peer = await open();
  for (const { name: workload, contest } of workloads()) {
    if (!contest || !asked.includes(workload)) continue;
    const run = { engine, version: peer.version, workload };
    try {
      const contender = await contest.enter(peer);
      if (!contender) continue;
      await contender.run(1);
      dispatches = [];
      await contender.run(1);
      runs.push({ ...run, dispatches: [...dispatches] });
      await contender.dispose();
    } catch (error) {
      runs.push({ ...run, dispatches: [], error: error instanceof Error ? error.message : String(error) });
    }
  }
  await peer.close();
}
writeFileSync(file, JSON.stringify(runs, undefined, 1));
process.exit(0);
