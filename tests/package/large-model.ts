import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { layoutSafetensors } from '../../src/formats/safetensors-write.ts';
import { chooseAdapter, chromeFlags } from '../../tools/chrome.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [WIDTH, CONTEXT] = [256, 64];
const configOf = (vocabulary: number): object => ({
  model_type: 'gpt2',
  n_layer: 1,
  n_head: 4,
  n_embd: WIDTH,
  n_positions: CONTEXT,
  vocab_size: vocabulary,
});

const PAGE = `<!doctype html><script type="module">
  import { Engine } from '/lib/index.js';
  globalThis.engine = await Engine.create();
</script>`;

/** A GPT-2 of one layer, whose table has so many tokens of 1 kB each. */
function layout(vocabulary: number) {
  const shapes: Record<string, number[]> = { 'wte.weight': [vocabulary, WIDTH], 'wpe.weight': [CONTEXT, WIDTH] };
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

/** Tokens of the model `/small`. */
const SMALL = 1000;

/**
 * Serves the library, and two models whose bodies are zeros that are nowhere whole: `/model`, of so many tokens, and `/small`. Counts the bytes of
 * the first that are sent, and requests for it.
 */
export async function serveModel(vocabulary: number) {
  const models = { model: layout(vocabulary), small: layout(SMALL) };
  const { byteLength } = models.model;
  const zeros = new Uint8Array(65_536);
  const counts = { sent: 0, requests: 0, byteLength, isDown: false };
  const server = createServer(async ({ url, headers }, response) => {
    const isCounted = url!.startsWith('/model/');
    if (isCounted) counts.requests++;
    if (isCounted && counts.isDown) return response.destroy();
    if (url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    if (url!.startsWith('/lib/'))
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(ROOT, 'dist', url!)));
    const [, name = '', file] = /^\/(model|small)\/(.+)$/.exec(url!) ?? [];
    if (file === 'config.json') {
      if (headers['if-none-match'] === '"c"') return response.writeHead(304, { etag: '"c"' }).end();
      return response.writeHead(200, { etag: '"c"' }).end(JSON.stringify(configOf(isCounted ? vocabulary : SMALL)));
    }
    if (file !== 'model.safetensors') return response.writeHead(404).end();
    const { head, byteLength } = models[name as 'model' | 'small'];
    if (headers['if-none-match'] === '"1"') return response.writeHead(304, { etag: '"1"' }).end();
    const [start = 0, last = 0] = /(\d+)-(\d+)/.exec(headers.range!)!.slice(1).map(Number);
    const end = Math.min(last + 1, byteLength);
    const range = { 'content-range': `bytes ${start}-${end - 1}/${byteLength}`, 'content-length': end - start };
    response.writeHead(206, { ...range, etag: '"1"' });
    let going = (): void => {};
    response.on('drain', () => going()).on('close', () => going());
    for (let at = start; at < end && !response.destroyed; ) {
      const piece = at < head.length ? head.subarray(at, end) : zeros.subarray(0, end - at);
      at += piece.length;
      if (isCounted) counts.sent += piece.length;
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

/**
 * A page with an engine, in a browser of its own that has no other. The tools for developers do not watch its network: they would keep up to 200 MB of
 * what comes, in the renderer.
 */
export async function openPage(executablePath: string, url: string): Promise<{ browser: Browser; page: Page }> {
  const args = chromeFlags(await chooseAdapter(executablePath));
  args.push('--disable-extensions', '--disable-features=SpareRendererForSitePerProcess');
  const browser = await puppeteer.launch({ executablePath, args, pipe: true, networkEnabled: false });
  const [page] = (await browser.pages()) as [Page];
  await page.goto(url);
  await page.waitForFunction('globalThis.engine');
  return { browser, page };
}

/** Bytes of all renderers in memory, as the operating system counts them. */
async function residentOf(page: Page): Promise<() => number> {
  const devtools = await page.browser().target().createCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  await devtools.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  const sizeOf = (id: number): number =>
    1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]);
  return () => renderers.reduce((sum, { id }) => sum + sizeOf(id), 0);
}

/**
 * Bytes over what a small model leaves while the model loads: of the heap and its buffers, garbage counted, and of the renderers as the operating system
 * counts them; seconds, and bytes on the device.
 */
export async function measureLoad(
  page: Page,
  options: object,
): Promise<{ heap: number; resident: number; seconds: number; weights: number }> {
  const devtools = await page.createCDPSession();
  const residents = await residentOf(page);
  const usage = async (): Promise<number> => {
    const heap = await devtools.send('Runtime.getHeapUsage');
    return heap.usedSize + heap.backingStorageSize;
  };
  const load = async (path: string, options: object) => {
    const { engine } = globalThis as unknown as { engine: { load: (...args: unknown[]) => Promise<unknown> } };
    const started = performance.now();
    const model = await engine.load(path, { tune: 'off', ...options });
    const seconds = (performance.now() - started) / 1000;
    const { info, dispose } = model as { info: { weightBytes: { device: number } }; dispose: () => void };
    const weights = info.weightBytes.device;
    dispose.call(model);
    return { seconds, weights };
  };
  await page.evaluate(load, '/small', options); // the code of the model and its kernels are there
  await devtools.send('HeapProfiler.collectGarbage');
  const before = await usage();
  const residentBefore = residents();
  let [heap, resident, done] = [0, 0, false];
  const watching = (async () => {
    for (; !done; await sleep(10)) {
      heap = Math.max(heap, (await usage()) - before);
      resident = Math.max(resident, residents() - residentBefore);
    }
  })();
  try {
    return { ...(await page.evaluate(load, '/model', options)), heap, resident };
  } finally {
    done = true;
    await watching;
    await devtools.detach();
  }
}
