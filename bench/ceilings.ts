import { throwIfAborted } from '../src/errors.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { part, type Variant, writeParams } from '../src/gpu/wgsl.ts';
import chains from './kernels/chains.wgsl';
import dot from './kernels/dot.wgsl';
import empty from './kernels/empty.wgsl';
import fma from './kernels/fma.wgsl';
import order from './kernels/order.wgsl';
import read from './kernels/read.wgsl';
import type { Ceilings } from './report.ts';

export interface CeilingOptions {
  /** A measured dispatch takes at least so long, in ms. */
  readonly leastMs: number;
  /** The best of so many counts. */
  readonly samples: number;
  readonly signal?: AbortSignal;
}

/** Invocations of a workgroup, in all kernels. */
const GROUP = 64;
/** Independent chains of multiply-adds: more hide more of their latency, until registers run out. */
const CHAINS = [2, 4, 8];
/** Steps of each chain in a round. */
const STEPS = 4;

/** Measures what the adapter can do at most. Errors: `aborted`, `device-lost`. */
export async function measureCeilings(gpu: Gpu, options: CeilingOptions): Promise<Ceilings> {
  const groups = gpu.caps.software ? 64 : 8192;
  const invocations = groups * GROUP;

  const fastestFma = async (type: 'float32' | 'float16'): Promise<number> => {
    let best = 0;
    for (const count of CHAINS) {
      const variant = { kernel: fma, ports: [part(chains, type), part(chains, `chains_${count}`)] };
      const flops = 2 * 4 * STEPS * count * invocations;
      best = Math.max(best, (flops * (await roundsPerMs(gpu, variant, [16 * invocations], groups, options))) / 1e6);
    }
    return best;
  };
  const fmaF32 = await fastestFma('float32');
  const fmaF16 = gpu.caps.f16 ? await fastestFma('float16') : undefined;
  const hasDot = navigator.gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product');
  const dotInt8 = hasDot
    ? (2 *
        4 *
        8 *
        invocations *
        (await roundsPerMs(gpu, { kernel: dot, ports: [] }, [4 * invocations], groups, options))) /
      1e6
    : undefined;
  return {
    fmaF32,
    ...(fmaF16 !== undefined && { fmaF16 }),
    ...(dotInt8 !== undefined && { dotInt8 }),
    readGbps: await readBandwidth(gpu, groups, options),
    dispatchUs: await dispatchCost(gpu, options),
  };
}

/** A kernel of this folder, bound to buffers of its own. */
async function prepare(gpu: Gpu, variant: Variant, bytes: readonly number[]) {
  const { pipeline, layout, linked } = await gpu.pipelines.get(variant, variant.kernel.name);
  const buffers = bytes.map((size) =>
    gpu.createBuffer(size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST, 'ceiling'),
  );
  if (buffers[0]) {
    const some = Float32Array.from({ length: Math.min(bytes[0]! / 4, 1 << 16) }, (_, i) => Math.sin(i));
    for (let at = 0; at + some.byteLength <= bytes[0]!; at += some.byteLength) gpu.write(buffers[0], at, some);
  }
  const uniform = gpu.createBuffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'ceiling rounds');
  const entries = linked.bindings.map(({ binding, type }) => ({
    binding,
    resource: { buffer: type === 'uniform' ? uniform : buffers[binding - 1]! },
  }));
  const group = gpu.device.createBindGroup({ layout, entries });
  return {
    setRounds(rounds: number) {
      const values = new DataView(new ArrayBuffer(16));
      writeParams(linked.uniforms[0]!.layout, { rounds }, values, 0);
      gpu.write(uniform, 0, values);
    },
    /** Milliseconds of a pass with so many dispatches, from submit to end. */
    async time(groups: number, dispatches = 1): Promise<number> {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(groups);
      pass.end();
      const start = performance.now();
      gpu.submit(encoder);
      await gpu.guard(gpu.device.queue.onSubmittedWorkDone());
      gpu.check();
      return performance.now() - start;
    },
    dispose() {
      for (const buffer of [...buffers, uniform]) gpu.destroyBuffer(buffer);
    },
  };
}

/** Rounds of a kernel's loop in a millisecond, at best: there are enough of them for a submit not to count. */
async function roundsPerMs(
  gpu: Gpu,
  variant: Variant,
  bytes: readonly number[],
  groups: number,
  { leastMs, samples, signal }: CeilingOptions,
): Promise<number> {
  const kernel = await prepare(gpu, variant, bytes);
  try {
    const time = (rounds: number): Promise<number> => {
      throwIfAborted(signal, 'the bench');
      kernel.setRounds(rounds);
      return kernel.time(groups);
    };
    await time(1); // may still compile
    let rounds = 16;
    for (let ms = await time(rounds); ms < leastMs && rounds < 1 << 22; ms = await time(rounds))
      rounds *= Math.min(8, Math.max(2, Math.ceil(leastMs / ms)));
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < samples; i++) best = Math.min(best, await time(rounds));
    return rounds / best;
  } finally {
    kernel.dispose();
  }
}

/** One same small kernel, whose time tells how the GPU fares: multiply-adds that take a few milliseconds at first. */
export interface Pulse {
  /** Milliseconds now: the median of three. */
  time(): Promise<number>;
  dispose(): void;
}

/** Milliseconds of a pulse at the best: enough for any clock, little enough to take often. */
const PULSE_MS = 5;

/** Prepares the pulse of a run. Errors: `device-lost`. */
export async function preparePulse(gpu: Gpu): Promise<Pulse> {
  const groups = gpu.caps.software ? 64 : 8192;
  const variant = { kernel: fma, ports: [part(chains, 'float32'), part(chains, 'chains_4')] };
  const kernel = await prepare(gpu, variant, [16 * groups * GROUP]);
  const best = async (): Promise<number> => {
    const times = [await kernel.time(groups), await kernel.time(groups), await kernel.time(groups)];
    return Math.min(...times);
  };
  let rounds = 16;
  kernel.setRounds(rounds);
  for (let ms = await best(); ms < PULSE_MS && rounds < 1 << 22; ms = await best()) {
    rounds *= Math.min(8, Math.max(2, Math.ceil(PULSE_MS / ms)));
    kernel.setRounds(rounds);
  }
  return {
    async time() {
      const times = [await kernel.time(groups), await kernel.time(groups), await kernel.time(groups)];
      return times.sort((a, b) => a - b)[1]!;
    },
    dispose: () => kernel.dispose(),
  };
}

/** The best of both orders over bytes that no cache holds: about four times a large GPU's last one, some of a CPU's. */
async function readBandwidth(gpu: Gpu, groups: number, { samples, signal }: CeilingOptions): Promise<number> {
  const wanted = Math.min(gpu.caps.software ? 128 << 20 : 256 << 20, gpu.caps.maxBindingBytes, gpu.caps.maxBufferBytes);
  const perRound = 4 * 16 * GROUP * groups;
  const rounds = Math.floor(wanted / perRound);
  let best = 0;
  for (const name of ['together', 'apart']) {
    const variant = { kernel: read, ports: [part(order, name)] };
    const kernel = await prepare(gpu, variant, [rounds * perRound, 4 * GROUP * groups]);
    try {
      kernel.setRounds(rounds);
      await kernel.time(groups);
      const empty = await kernel.time(groups, 0);
      for (let i = 0; i < samples; i++) {
        throwIfAborted(signal, 'the bench');
        const ms = await kernel.time(groups);
        best = Math.max(best, (rounds * perRound) / 1e6 / Math.max(ms - empty, ms / 2));
      }
    } finally {
      kernel.dispose();
    }
  }
  return best;
}

/** Microseconds: the slope from 100 empty dispatches to 1000. */
async function dispatchCost(gpu: Gpu, { samples, signal }: CeilingOptions): Promise<number> {
  const kernel = await prepare(gpu, { kernel: empty, ports: [] }, []);
  try {
    await kernel.time(1, 10);
    const best = async (dispatches: number): Promise<number> => {
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < samples; i++) {
        throwIfAborted(signal, 'the bench');
        least = Math.min(least, await kernel.time(1, dispatches));
      }
      return least;
    };
    return (1000 * ((await best(1000)) - (await best(100)))) / 900;
  } finally {
    kernel.dispose();
  }
}
