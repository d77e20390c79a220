import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
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

/**
 * Serves the library, and a model whose body is zeros that are nowhere whole. Counts the bytes of the model that are sent, and requests for
 * it.
 */
export async function serveModel(vocabulary: number) {
  const { head, byteLength } = layout(vocabulary);
  const zeros = new Uint8Array(65_536);
  const counts = { sent: 0, requests: 0, byteLength, isDown: false };
  const server = createServer(async ({ url, headers }, response) => {
    if (url!.startsWith('/model/')) counts.requests++;
    if (url!.startsWith('/model/') && counts.isDown) return response.destroy();
    if (url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    if (url!.startsWith('/lib/'))
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(ROOT, 'dist', url!)));
    if (url === '/model/config.json') {
      if (headers['if-none-match'] === '"c"') return response.writeHead(304, { etag: '"c"' }).end();
      return response.writeHead(200, { etag: '"c"' }).end(JSON.stringify(configOf(vocabulary)));
    }
    if (url !== '/model/model.safetensors') return response.writeHead(404).end();
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

/** A page with an engine, in a browser of its own. */
export async function openPage(executablePath: string, url: string): Promise<{ browser: Browser; page: Page }> {
  const browser = await chromium.launch({ executablePath, args: chromeFlags(await chooseAdapter(executablePath)) });
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction('globalThis.engine');
  return { browser, page };
}

/** Bytes of the heap and its buffers over what there was, garbage counted, while the model loads; seconds, and bytes on the device. */
export async function measureLoad(
  page: Page,
  options: object,
): Promise<{ heap: number; seconds: number; weights: number }> {
  const devtools = await page.context().newCDPSession(page);
  const usage = async (): Promise<number> => {
    const heap = (await devtools.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize: number };
    return heap.usedSize + heap.backingStorageSize;
  };
  await devtools.send('HeapProfiler.collectGarbage');
  const before = await usage();
  let [heap, done] = [0, false];
  const watching = (async () => {
    for (; !done; await sleep(10)) heap = Math.max(heap, (await usage()) - before);
  })();
  const load = async (options: object) => {
    const { engine } = globalThis as unknown as { engine: { load: (...args: unknown[]) => Promise<unknown> } };
    const started = performance.now();
    const model = await engine.load('/model', { tune: 'off', ...options });
    const seconds = (performance.now() - started) / 1000;
    const { info, dispose } = model as { info: { weightBytes: { device: number } }; dispose: () => void };
    const weights = info.weightBytes.device;
    dispose.call(model);
    return { seconds, weights };
  };
  try {
    return { ...(await page.evaluate(load, options)), heap };
  } finally {
    done = true;
    await watching;
    await devtools.detach();
  }
}
