import { create, globals } from 'webgpu';

// WebGPU in Node, once in a process: this runs before each file of tests. What create() returns must outlive everything made with it.
if (!globalThis.navigator?.gpu) {
  const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
}
