import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { chooseAdapter, chromeFlags, findChrome } from '../../tools/chrome.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Loads the model that writes text twice: on an engine that recovers, and on one that does not. */
const PAGE = `<!doctype html><script type="module">
  import { Engine } from '/lib/index.js';
  const [recovering, plain] = [await Engine.create({ recover: true }), await Engine.create()];
  const models = { recovering: await recovering.load('/weights/gpt-shakespeare'), plain: await plain.load('/weights/gpt-shakespeare') };
  globalThis.tokensOf = async (name, onToken) => {
    const tokens = [];
    for await (const { token } of models[name].generate('The king', { temperature: 0, maxNewTokens: 24 })) {
      tokens.push(token);
      await onToken?.(tokens.length);
    }
    return tokens;
  };
</script>`;

interface Page {
  tokensOf(name: string, onToken?: (count: number) => unknown): Promise<number[]>;
  crash(): Promise<void>;
}

async function serve() {
  const types = { html: 'text/html', js: 'text/javascript' };
  const server = createServer(({ url }, response) => {
    const send = (body: string | Buffer, type: string): void =>
      void response.writeHead(200, { 'content-type': type }).end(body);
    if (url === '/') return send(PAGE, types.html);
    try {
      const path = url!.startsWith('/lib/') ? join(ROOT, 'dist', url!) : join(ROOT, url!);
      send(readFileSync(path), url!.endsWith('.js') ? types.js : 'application/octet-stream');
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const executablePath = await findChrome();

it.skipIf(!executablePath)("a text goes on with the same tokens after Chrome's GPU process ended", async () => {
  await build({ only: ['lib'], log: () => {} });
  const { server, url } = await serve();
  // By itself Chrome gives a site no adapter for a while after a second end of the GPU process.
  const args = [...chromeFlags(await chooseAdapter(executablePath!)), '--disable-domain-blocking-for-3d-apis'];
  const browser = await chromium.launch({ executablePath: executablePath!, args });
  try {
    const page = await browser.newPage();
    const devtools = await browser.newBrowserCDPSession();
    await page.exposeFunction('crash', () =>
      devtools.send('Browser.crashGpuProcess' as 'Browser.close').catch(() => {}),
    );
    await page.goto(url);
    await page.waitForFunction('globalThis.tokensOf', null, { timeout: 90_000 });
    const result = await page.evaluate(async () => {
      const { tokensOf, crash } = globalThis as unknown as Page;
      const wanted = await tokensOf('recovering');
      let crashed = 0;
      const plain = tokensOf('plain', async (count) => {
        if (count === 8) crashed = performance.now();
        if (count === 8) await crash();
      }).catch((error) => ({ code: error.code, ms: performance.now() - crashed }));
      const end = await plain;
      const got = await tokensOf('recovering');
      const again = await tokensOf('recovering', (count) => count === 8 && crash());
      return { wanted, end, got, again };
    });
    expect(result.wanted).toHaveLength(24);
    expect(result.end).toMatchObject({ code: 'device-lost' });
    expect((result.end as { ms: number }).ms).toBeLessThan(1000);
    expect(result.got).toEqual(result.wanted); // its device had gone with the other's
    expect(result.again).toEqual(result.wanted);
  } finally {
    await browser.close();
    server.close();
  }
});
