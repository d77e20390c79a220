import type { Runtime, RuntimeName } from './runtime.ts';

/** Starts what the GPU is reached through. Errors: `missing-dependency`, `no-adapter`, `aborted`. */
export async function openRuntime(name: RuntimeName, signal: AbortSignal): Promise<Runtime> {
  if (name === 'chrome') return (await import('./chrome-runtime.ts')).openChrome(signal);
  return (await import('./dawn-runtime.ts')).openDawn(signal);
}
