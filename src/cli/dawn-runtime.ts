import { findVulkanDriver, vulkanEnv } from '../../tools/vulkan.mjs';
import { TilewrightError, throwIfAborted } from '../errors.ts';
import { optional } from './optional.ts';
import { Lending, type Runtime, Taking } from './runtime.ts';

/** Held for as long as the process lives: Dawn aborts it when this object goes before what was made with it. */
let gpu: GPU | undefined;

/** Node with Dawn (npm `webgpu`). Errors: `missing-dependency`, `no-adapter`, `aborted`. */
export async function openDawn(signal: AbortSignal): Promise<Runtime> {
  throwIfAborted(signal, 'starting Dawn');
  const driver = findVulkanDriver({ here: true });
  if (!driver) {
    await optional('webgpu', 'The dawn runtime', () => import('webgpu'));
    throw new TilewrightError('no-adapter', 'Dawn for Node found no driver that it works on', {
      hint: 'Install a Vulkan driver (Mesa 23 or newer; mesa-vulkan-drivers has llvmpipe), or use --runtime chrome.',
    });
  }
  // The loader of Vulkan reads the environment once, when the addon comes.
  Object.assign(process.env, vulkanEnv(driver.icd));
  const { create, globals } = await optional('webgpu', 'The dawn runtime', () => import('webgpu'));
  gpu ??= create(['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization']);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  const { jobs } = await import('./jobs.ts');
  const lending = new Lending();
  const taking = new Taking();
  return {
    name: 'dawn',
    description: `Dawn in Node on ${driver.name === 'system' ? "the system's driver" : driver.name}`,
    model: async (source) => source,
    lend: (chunks) => lending.add(chunks),
    take: (sink) => taking.add(sink),
    run: (name, args, { signal, onEvent = () => {} }) =>
      (jobs[name] as (args: unknown, context: unknown) => Promise<never>)(args, {
        emit: onEvent,
        signal,
        read: (lent: string) => lending.next(lent),
        write: (taken: string, bytes: Uint8Array) => taking.give(taken, bytes),
      }),
    close: () => lending.close(),
  };
}
