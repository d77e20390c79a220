// Prints as one line of JSON what adapter WebGPU finds under this process's environment: Dawn in Node, wgpu in Deno. Exits
// with 1 where it finds none. A process of its own, because the Vulkan loader reads the environment once and a bad driver
// may crash.
const gpu = globalThis.navigator?.gpu ?? (await dawn()); // held to the end: Dawn aborts when it is collected before its adapters
const adapter = await gpu.requestAdapter();
if (adapter) {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const features = [...adapter.features].sort();
  // An adapter is no proof: an old driver fails here.
  (await adapter.requestDevice()).destroy();
  console.log(JSON.stringify({ vendor, architecture, device, description, isFallbackAdapter, features }));
} else {
  process.exitCode = 1;
}

async function dawn() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return create([]);
}
