/** How buffers may be used: values of GPUBufferUsage, whose globals are missing where a device comes without them (Node). */
export const USAGE = {
  /** STORAGE | COPY_DST | COPY_SRC */
  storage: 0x80 | 8 | 4,
  STORAGE: 0x80,
  COPY_SRC: 4,
  COPY_DST: 8,
  /** MAP_READ | COPY_DST */
  staging: 1 | 8,
  /** UNIFORM | COPY_DST */
  uniform: 0x40 | 8,
  /** QUERY_RESOLVE | COPY_SRC */
  query: 0x200 | 4,
} as const;

/** GPUMapMode.READ */
export const MAP_READ = 1;

/** GPUShaderStage.COMPUTE */
export const COMPUTE = 4;
