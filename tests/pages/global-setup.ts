import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { serveFolder } from '../../tools/serve.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the built pages, with a slash at its end. */
    site: string;
  }
}

/** Builds the pages, unless TILEWRIGHT_PAGES_BUILT says that they are built, and serves them while the tests run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!process.env.TILEWRIGHT_PAGES_BUILT) {
    // Vitest has set NODE_ENV to `test`: what ships is built for production.
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    await build({ root: ROOT, mode: 'pages', logLevel: 'error' });
    process.env.NODE_ENV = before;
  }
  const server = await serveFolder(`${ROOT}dist/pages`);
  project.provide('site', server.url);
  return server.close;
}
