// Prints as one line of JSON what adapter Dawn finds under this process's environment; exits with 1 where it finds
// none. A process of its own, because the Vulkan loader reads the environment once and a bad driver may crash.
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create([]); // held to the end: the process aborts when it is collected before its adapters
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
