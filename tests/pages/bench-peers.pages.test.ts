import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrives, openPage, PATIENCE, startBrowser, textOf } from './support.ts';

const REPOSITORY = 'https://github.com/someone/tilewright';

let server: ViteDevServer;
let browser: Browser;
let page: Page;
let errors: string[];

beforeAll(async () => {
  // A build leaves `production` behind it (npm test builds first): then the server's pages would be those that ship, without packages.
  process.env.NODE_ENV = 'development';
  server = await createServer({
    root: fileURLToPath(new URL('../../', import.meta.url)),
    mode: 'development',
    logLevel: 'error',
    server: { port: 0 },
    optimizeDeps: { noDiscovery: true }, // a package that is found late would load the page again, amid its run
    define: { 'import.meta.env.REPOSITORY': JSON.stringify(REPOSITORY) },
  });
  await server.listen();
  browser = await startBrowser();
  const path = 'bench/?preset=tiny&suite=matmul&peer=onnxruntime-web-wasm';
  ({ page, errors } = await openPage(browser, path, { site: server.resolvedUrls!.local[0]! }));
}, 2 * PATIENCE);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe('the bench page of the development server, in a repository', { timeout: 3 * PATIENCE }, () => {
  it('measures a peer beside this engine, and says how they stand', async () => {
    await page.locator('#peers').getByLabel('onnxruntime-web-wasm').and(page.locator(':checked')).waitFor();
    await page.getByRole('button', { name: 'Run the bench' }).click();
    await arrives(page, '#link:enabled', 2 * PATIENCE);
    const rows = await page.locator('#table tbody td:first-child').allInnerTexts();
    expect(rows.join('\n')).toMatch(/^matmul[\s\S]*matmul onnxruntime-web-wasm/);
    expect(await textOf(page.locator('#notes'))).toContain('Rounds are interleaved A B B A');
    expect(errors).toEqual([]);
  });

  it('has a button for an issue that has the figures in it', async () => {
    const link = page.getByRole('link', { name: 'Open an issue' });
    const address = new URL((await link.getAttribute('href'))!);
    expect(address.origin + address.pathname).toBe(`${REPOSITORY}/issues/new`);
    expect(address.searchParams.get('title')).toMatch(/^Bench: .*Chrome \d+ on /);
    expect(address.searchParams.get('body')).toMatch(/Measured ceilings: [\d.]+ GFLOPS[\s\S]*drop the downloaded JSON/);
    expect(await link.getAttribute('rel')).toBe('noopener');
  });
});
