/**
 * The Web Neural Network API of the W3C on WebGPU: webmachinelearning.github.io/webnn.
 *
 * @module tilewright/webnn
 */

import { TilewrightError } from '../errors.ts';
import { requestAdapter, requestDevice } from '../gpu/adapter.ts';
import { Gpu } from '../gpu/gpu.ts';
import { loadOps } from '../graph/groups/index.ts';
import { checkOptions, flag } from '../options.ts';
import { MLGraphBuilder, MLOperand } from './builder.ts';
import { MLContext } from './context.ts';
import { MLGraph } from './graph.ts';
import { MLTensor } from './tensor.ts';

export type { MLNamedOperands, MLNumber, MLOperatorOptions, MLRecurrentNetworkActivation } from './builder.ts';
export type { MLContextLostInfo, MLNamedTensors } from './context.ts';
export type { MLBufferSource, MLOperandDataType, MLOperandDescriptor } from './data.ts';
export type { MLOpLimits, MLOpSupportLimits, MLRankRange, MLSupportLimits, MLTensorLimits } from './limits.ts';
export type { MLTensorDescriptor } from './tensor.ts';
export { MLContext, MLGraph, MLGraphBuilder, MLOperand, MLTensor };

/** Which adapter a context is made on. */
export interface MLContextOptions {
  /** A wish: what computes is WebGPU's adapter. */
  deviceType?: 'cpu' | 'gpu' | 'npu';
  /** Of two GPUs, the one that saves power or the faster. */
  powerPreference?: 'default' | 'high-performance' | 'low-power';
}

/** How `navigator.ml` is set. */
export interface InstallOptions {
  /** Takes the place of a `navigator.ml` that is there already. */
  force?: boolean;
}

const DEVICE_TYPES: readonly unknown[] = [undefined, 'cpu', 'gpu', 'npu'];
const POWER: readonly unknown[] = [undefined, 'default', 'high-performance', 'low-power'];

/** Whether it is a device, of whatever page or runtime. */
const isDevice = (value: object): value is GPUDevice => 'createComputePipelineAsync' in value;

/** The entry of the API, as `navigator.ml` has it. */
export class ML {
  /**
   * Makes a context on a device of its own, or on the caller's. Errors: TypeError for an option that is none;
   * NotSupportedError where there is no WebGPU.
   */
  async createContext(given: MLContextOptions | GPUDevice = {}): Promise<MLContext> {
    if (typeof given !== 'object' || given === null)
      throw new TypeError('createContext: expected options or a GPUDevice');
    const device = isDevice(given);
    if (!device && !DEVICE_TYPES.includes(given.deviceType))
      throw new TypeError(`createContext: deviceType is ${given.deviceType}, expected cpu, gpu or npu`);
    if (!device && !POWER.includes(given.powerPreference))
      throw new TypeError(`createContext: powerPreference is ${given.powerPreference}`);
    await loadOps();
    return new MLContext(device ? new Gpu(given, undefined, false) : await ownGpu(given));
  }
}

async function ownGpu({ powerPreference }: MLContextOptions): Promise<Gpu> {
  try {
    const adapter = await requestAdapter(
      powerPreference === undefined || powerPreference === 'default' ? {} : { powerPreference },
    );
    return new Gpu(await requestDevice(adapter), adapter, true);
  } catch (error) {
    const unsupported = new DOMException((error as Error).message, 'NotSupportedError');
    throw Object.defineProperty(unsupported, 'cause', { value: error, configurable: true });
  }
}

/** What `navigator.ml` would be. */
export const createML = (): ML => new ML();

/** The classes that pages find in the global scope. */
const INTERFACES = { ML, MLContext, MLGraph, MLGraphBuilder, MLOperand, MLTensor };

/**
 * Sets `navigator.ml` and the classes of the API where there are none, and gives what is there then. Errors:
 * `invalid-argument`; `no-webgpu` where there is no navigator.
 */
export function install(options: InstallOptions = {}): ML {
  checkOptions('install', options, { force: flag });
  const navigator = globalThis.navigator as (Navigator & { readonly ml?: ML }) | undefined;
  if (!navigator)
    throw new TilewrightError('no-webgpu', 'there is no navigator to have ml', {
      hint: 'In Node, create one with the npm package "webgpu"; or use createML().',
    });
  if (navigator.ml && !options.force) return navigator.ml;
  const ml = createML();
  Object.defineProperty(navigator, 'ml', { value: ml, configurable: true });
  for (const [name, value] of Object.entries(INTERFACES))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return ml;
}
