import { create, globals } from 'webgpu';

// WebGPU in Node. The object that create() returns must outlive everything made with it.
const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
