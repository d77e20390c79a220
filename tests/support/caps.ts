import type { Caps } from '../../src/gpu/gpu.ts';

/** Caps of a software adapter with no optional feature and WebGPU's default limits, for plans without a device. */
export const capsOf = (own: Partial<Caps> = {}): Caps => ({
  software: true,
  manyRegisters: true,
  f16: false,
  longLoops: true,
  subgroups: false,
  minSubgroupSize: 0,
  subgroupMatrices: [],
  longKernels: false,
  packedDot: true,
  maxBindingBytes: 2 ** 27,
  maxBufferBytes: 2 ** 28,
  maxWorkgroupStorageBytes: 16384,
  maxInvocations: 256,
  ...own,
});
