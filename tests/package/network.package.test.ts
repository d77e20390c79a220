import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { expect, it } from 'vitest';
import { layoutSafetensors } from '../../src/formats/safetensors-write.ts';
import { build } from '../../tools/build.mjs';
import { chooseAdapter, chromeFlags, findChrome } from '../../tools/chrome.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [WIDTH, CONTEXT, VOCABULARY] = [256, 64, 126_000];
const CONFIG = {
  model_type: 'gpt2',
  n_layer: 1,
  n_head: 4,
  n_embd: WIDTH,
  n_positions: CONTEXT,
  vocab_size: VOCABULARY,
};

const PAGE = `<!doctype html><script type="module">
  import { Engine } from '/lib/index.js';
  globalThis.engine = await Engine.create();
</script>`;

/** A GPT-2 of one layer, whose table of tokens takes 129 MB. */
function layout() {
  const shapes: Record<string, number[]> = { 'wte.weight': [VOCABULARY, WIDTH], 'wpe.weight': [CONTEXT, WIDTH] };
  for (const [name, inner, outer] of [
    ['attn.c_attn', WIDTH, 3 * WIDTH],
    ['attn.c_proj', WIDTH, WIDTH],
    ['mlp.c_fc', WIDTH, 4 * WIDTH],
    ['mlp.c_proj', 4 * WIDTH, WIDTH],
  ] as const) {
    shapes[`h.0.${name}.weight`] = [inner, outer];
    shapes[`h.0.${name}.bias`] = [outer];
  }
  for (const norm of ['h.0.ln_1', 'h.0.ln_2', 'ln_f'])
    for (const part of ['weight', 'bias']) shapes[`${norm}.${part}`] = [WIDTH];
  const names = Object.keys(shapes).sort();
  return layoutSafetensors(names.map((name) => ({ name, storedType: 'F32', shape: shapes[name]! })));
}

/** Serves the library, and the model, whose body is zeros that are nowhere whole. Counts the bytes of the model. */
async function serveModel() {
  const { head, byteLength } = layout();
  const zeros = new Uint8Array(65_536);
  const counts = { sent: 0, byteLength };
  const server = createServer(async ({ url, headers }, response) => {
    if (url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    if (url!.startsWith('/lib/'))
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(ROOT, 'dist', url!)));
    if (url === '/model/config.json') return response.end(JSON.stringify(CONFIG));
    if (url !== '/model/model.safetensors') return response.writeHead(404).end();
    const [start = 0, last = 0] = /(\d+)-(\d+)/.exec(headers.range!)!.slice(1).map(Number);
    const end = Math.min(last + 1, byteLength);
    const range = { 'content-range': `bytes ${start}-${end - 1}/${byteLength}`, 'content-length': end - start };
    response.writeHead(206, { ...range, etag: '"1"' });
    let going = (): void => {};
    response.on('drain', () => going()).on('close', () => going());
    for (let at = start; at < end && !response.destroyed; ) {
      const piece = at < head.length ? head.subarray(at, end) : zeros.subarray(0, end - at);
      at += piece.length;
      counts.sent += piece.length;
      if (response.write(piece)) continue;
      await new Promise<void>((resolve) => {
        going = resolve;
      });
    }
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, counts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const executablePath = await findChrome();

it.skipIf(!executablePath)(
  'a checkpoint of 129 MB behind a URL takes less than 32 MB of the heap in Chrome, garbage counted',
  async () => {
    await build({ only: ['lib'], log: () => {} });
    const { server, counts, url } = await serveModel();
    const browser = await chromium.launch({
      executablePath: executablePath!,
      args: chromeFlags(await chooseAdapter(executablePath!)),
    });
    try {
      const page = await browser.newPage();
      await page.goto(url);
      const devtools = await page.context().newCDPSession(page);
      const usage = async (): Promise<number> => {
        const heap = (await devtools.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize: number };
        return heap.usedSize + heap.backingStorageSize;
      };
      await page.waitForFunction('globalThis.engine');
      await devtools.send('HeapProfiler.collectGarbage');
      const before = await usage();
      let [heap, done] = [0, false];
      const watching = (async () => {
        for (; !done; await sleep(10)) heap = Math.max(heap, (await usage()) - before);
      })();
      const weights = await page
        .evaluate(async () => {
          const { engine } = globalThis as unknown as { engine: { load: (...args: unknown[]) => Promise<unknown> } };
          const model = (await engine.load('/model', { tune: 'off' })) as { info: { weightBytes: { device: number } } };
          return model.info.weightBytes.device;
        })
        .finally(() => {
          done = true;
        });
      await watching;
      console.log(`heap ${(heap / 1e6).toFixed(1)} MB, ${counts.sent} bytes`);
      expect(weights).toBeGreaterThan(129e6);
      expect(counts.sent).toBeLessThan(1.01 * counts.byteLength);
      expect(heap).toBeGreaterThan(0);
      expect(heap).toBeLessThan(32e6);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  },
  120_000,
);
