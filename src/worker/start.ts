import { TilewrightError } from '../errors.ts';

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/**
 * The file beside this one. The build puts it where the name stands (tools/parts-plugin.ts), so that bundlers of apps see the expression that they
 * know: `new Worker(new URL('./worker-host.js', import.meta.url))`.
 */
const HOST = './worker-host.js';

/** Starts the worker. Error: `worker-lost` where the page's policy forbids it. */
export function startWorker(): Worker {
  try {
    return new Worker(new URL(HOST, import.meta.url), { type: 'module' });
  } catch (cause) {
    const { trustedTypes } = globalThis as { trustedTypes?: Policies };
    if (!trustedTypes) throw refused(cause);
    try {
      // Trusted Types want a policy for the address of a script.
      policy ??= trustedTypes.createPolicy('tilewright', { createScriptURL: (url) => url });
      const { href } = new URL(HOST, import.meta.url);
      return new Worker(policy.createScriptURL(href), { type: 'module' });
    } catch {
      throw refused(cause);
    }
  }
}

let policy: ReturnType<Policies['createPolicy']> | undefined;

const refused = (cause: unknown): TilewrightError =>
  new TilewrightError('worker-lost', `the worker could not be started: ${(cause as Error).message}`, {
    hint: "The page's policy has to allow it: worker-src 'self', and trusted-types tilewright where it requires Trusted Types.",
    cause,
  });
