// Loads an ONNX model in Node and prints what memory that took: node --expose-gc peak.mjs LIBRARY SMALL LARGE IDS
import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';

const [library, small, large, ids] = /** @type {[string, string, string, string]} */ (process.argv.slice(2));
const gpu = create([]);
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
const { Engine } = await import(library);

/** Bytes of this process in memory, as the operating system counts them. */
const resident = () => 1024 * Number(readFileSync('/proc/self/status', 'utf8').match(/^VmRSS:\s+(\d+)/m)?.[1]);

const inputs = { ids: BigInt64Array.from(ids.split(','), BigInt) };
const engine = await Engine.create();
// The same ops on small weights: their kernels are compiled before the baseline.
const first = await engine.load(small, { tune: 'off' });
await first.run(inputs);
first.dispose();
globalThis.gc?.();

const baseline = resident() - engine.counters.bytes;
let [host, arrays] = [0, 0];
/** A software adapter has the buffers of the device in this process too: what is left is the host's. */
const look = () => {
  host = Math.max(host, resident() - engine.counters.bytes - baseline);
  arrays = Math.max(arrays, process.memoryUsage().arrayBuffers);
};
const timer = setInterval(look, 1);
const model = await engine.load(large, { tune: 'off', onProgress: look });
look();
clearInterval(timer);
const { y } = await model.run(inputs);
const sums = { host, arrays, device: engine.counters.bytes };
console.log(JSON.stringify({ ...sums, dims: y.dims, y: [...y.data.slice(0, 8)] }));
process.exit(0);
