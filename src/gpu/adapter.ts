import { TilewrightError } from '../errors.ts';

/** What is known of an adapter, for people and for file names. */
export interface AdapterCard {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** The adapter computes on the CPU (SwiftShader, llvmpipe). */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<LimitName, number>>;
}

/** Whether an engine can be had here, and on what; else why not, and what would help. */
export type Availability =
  | { readonly available: true; readonly adapter: AdapterCard; readonly name: string }
  | {
      readonly available: false;
      readonly code: 'no-webgpu' | 'no-adapter' | 'no-import';
      readonly reason: string;
      readonly hint: string | undefined;
    };

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;
/** A limit of WebGPU that kernels depend on. */
export type LimitName = (typeof LIMITS)[number];

/** Chrome's experimental feature of matrices that a subgroup holds. Browsers have it where unsafe WebGPU is turned on. */
export const MATRICES = 'chromium-experimental-subgroup-matrix';

/** Optional features that kernels have variants for: asked for wherever the adapter has them. */
export const WANTED_FEATURES = ['shader-f16', 'subgroups', MATRICES] as const;

/** How the adapter is chosen, and what is asked of its device. */
export interface DeviceOptions {
  /** Of two GPUs, the one that saves power or the faster. Default: `high-performance`. */
  powerPreference?: GPUPowerPreference;
  /** Features to leave out although the adapter has them. */
  without?: readonly string[];
  /** Asks for WebGPU's default limits instead of all that the adapter gives. */
  defaultLimits?: boolean;
  /** Asks for timestamp-query, which can slow a device: for profiling only. */
  timestamps?: boolean;
}

const isSoftware = (info: GPUAdapterInfo, adapter?: GPUAdapter): boolean => {
  const flagged =
    (info as { isFallbackAdapter?: boolean }).isFallbackAdapter ??
    (adapter as { isFallbackAdapter?: boolean } | undefined)?.isFallbackAdapter;
  return (
    flagged === true ||
    /swiftshader|llvmpipe|lavapipe|software|basic render|\bwarp\b/i.test(
      `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
    )
  );
};

export function describeAdapter(source: {
  info: GPUAdapterInfo;
  features: GPUSupportedFeatures;
  limits: GPUSupportedLimits;
}): AdapterCard {
  const { info } = source;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: isSoftware(info, source as GPUAdapter),
    features: [...source.features].sort(),
    limits: Object.fromEntries(LIMITS.map((name) => [name, source.limits[name]])) as Record<LimitName, number>,
  };
}

/** `google swiftshader (software)`: one line for people. */
export function adapterName({ vendor, architecture, device, description, software }: AdapterCard): string {
  const words =
    [...new Set([vendor, architecture, device, description].filter(Boolean))].join(' ') || 'adapter not told';
  return software ? `${words} (software)` : words;
}

export async function requestAdapter({ powerPreference }: DeviceOptions = {}): Promise<GPUAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    const secure = globalThis.isSecureContext !== false;
    throw new TilewrightError(
      'no-webgpu',
      secure
        ? 'navigator.gpu is missing: this browser has no WebGPU'
        : 'navigator.gpu is missing: the page is not a secure context',
      {
        hint: secure
          ? 'Use Chrome or Edge 121+, Safari 26+ or Firefox 141+; in Node, create one with the npm package "webgpu".'
          : 'Serve the page over https, or from localhost.',
      },
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: powerPreference ?? 'high-performance' });
  if (!adapter) {
    throw new TilewrightError('no-adapter', 'navigator.gpu.requestAdapter() found no adapter', {
      hint: 'Turn on hardware acceleration in the browser settings, or update the graphics driver; chrome://gpu says what is blocked.',
    });
  }
  return adapter;
}

/** Says what adapter `find` finds, and if none, why and what would help. */
export async function availabilityOf(find: () => Promise<GPUAdapter>): Promise<Availability> {
  try {
    const adapter = describeAdapter(await find());
    return { available: true, adapter, name: adapterName(adapter) };
  } catch (error) {
    const { code, message: reason, hint } = error as TilewrightError;
    if (code !== 'no-webgpu' && code !== 'no-adapter' && code !== 'no-import') throw error;
    return { available: false, code, reason, hint };
  }
}

export async function requestDevice(
  adapter: GPUAdapter,
  { without = [], defaultLimits = false, timestamps = false }: DeviceOptions = {},
): Promise<GPUDevice> {
  const wanted = [...WANTED_FEATURES, ...(timestamps ? ['timestamp-query'] : [])] as GPUFeatureName[];
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name) && !without.includes(name));
  const requiredLimits = defaultLimits ? {} : Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  try {
    return await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new TilewrightError('no-adapter', `the adapter gave no device: ${(cause as Error).message}`, { cause });
  }
}
