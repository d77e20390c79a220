/**
 * WebGPU's types for the declarations of the package: those of the app where its TypeScript knows them (6 and later, or with
 * `@webgpu/types`), else `any`. So the package asks for no types, and clashes with none.
 */
// biome-ignore lint/suspicious/noExplicitAny: an app that knows no WebGPU cannot be held to its types.
type Known<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : any;

export type GPUAdapter = Known<'GPUAdapter'>;
export type GPUAdapterInfo = Known<'GPUAdapterInfo'>;
export type GPUBindGroup = Known<'GPUBindGroup'>;
export type GPUBindGroupLayout = Known<'GPUBindGroupLayout'>;
export type GPUBindingResource = object;
export type GPUBuffer = Known<'GPUBuffer'>;
export type GPUBufferBindingType = 'uniform' | 'storage' | 'read-only-storage';
export type GPUBufferUsageFlags = number;
export type GPUCommandEncoder = Known<'GPUCommandEncoder'>;
export type GPUComputePassEncoder = Known<'GPUComputePassEncoder'>;
export type GPUComputePassTimestampWrites = {
  querySet: Known<'GPUQuerySet'>;
  beginningOfPassWriteIndex?: number;
  endOfPassWriteIndex?: number;
};
export type GPUComputePipeline = Known<'GPUComputePipeline'>;
export type GPUDevice = Known<'GPUDevice'>;
export type GPUDeviceLostInfo = Known<'GPUDeviceLostInfo'>;
export type GPUPowerPreference = 'low-power' | 'high-performance';
export type GPUSupportedFeatures = Known<'GPUSupportedFeatures'>;
export type GPUSupportedLimits = Known<'GPUSupportedLimits'>;
export type GPUTexture = Known<'GPUTexture'>;
