import { Gpu } from '../../src/gpu/gpu.ts';

/** What is asked of a device and its adapter before anything is computed. */
export function fakeGpu(info: object, features: readonly string[] = []): Gpu {
  const device = {
    features: new Set(features),
    limits: {},
    lost: new Promise(() => {}),
    addEventListener: () => {},
  } as unknown as GPUDevice;
  const nameless = { vendor: '', architecture: '', device: '', description: '' };
  return new Gpu(device, { info: { ...nameless, ...info } } as unknown as GPUAdapter, false);
}
