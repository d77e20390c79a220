import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../bench/peers/onnx.ts';
import { type JobServer, serveJobs } from '../../src/cli/job-server.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { openOnnx } from '../../src/formats/onnx.ts';
import { onnxOf, openFolder } from '../../src/hub/folder.ts';
import { serveFolder } from '../../tools/serve.mjs';

const root = mkdtempSync(join(tmpdir(), 'tilewright-'));
const at = (path: string): string => join(root, path);

/** A checkpoint without tensors. */
const EMPTY = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);

beforeAll(() => {
  for (const name of ['pages', 'model', 'odd', 'links', 'onnx']) mkdirSync(at(name));
  writeFileSync(at('pages/host.html'), '<!doctype html>');
  writeFileSync(at('model/model.safetensors'), EMPTY);
  writeFileSync(at('model/config.json'), '{"n":1}');
  writeFileSync(at('odd/weights-v2.safetensors'), EMPTY);
  const graph = new OnnxGraph(true);
  graph.constant(
    Float32Array.from({ length: 300 }, (_, i) => i),
    [300],
    'weights of it.bin',
  );
  const { model, externalData } = graph.encode();
  writeFileSync(at('onnx/a model.onnx'), model);
  for (const { path, data } of externalData) writeFileSync(at(`onnx/${path}`), data);
  symlinkSync(at('model/model.safetensors'), at('links/model.safetensors'));
});

let server: JobServer;
beforeAll(async () => {
  server = await serveJobs(at('pages'));
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

/** Opens a checkpoint as a page would. */
async function checkpoint(source: string): Promise<number> {
  const folder = await openFolder(await server.model(source), { baseUrl: server.url });
  return (await openCheckpoint(folder)).tensors.size;
}

describe('the server of headless Chrome', () => {
  it('serves the pages with their types', async () => {
    const response = await fetch(`${server.url}host.html`);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect((await fetch(`${server.url}nothing.js`)).status).toBe(404);
    expect((await fetch(`${server.url}..%2Fmodel%2Fconfig.json`)).status).toBe(404);
  });

  it('serves a model from a folder, from one file, through links and under another name', async () => {
    expect(await checkpoint(at('model'))).toBe(0);
    expect(await checkpoint(at('model/model.safetensors'))).toBe(0);
    expect(await checkpoint(at('odd'))).toBe(0);
    expect(await checkpoint(at('odd/weights-v2.safetensors'))).toBe(0);
    expect(await checkpoint(at('links'))).toBe(0);
  });

  it('serves an ONNX model and what lies beside it, from its file, its folder and a URL', async () => {
    const remote = await serveFolder(root);
    try {
      for (const source of [at('onnx/a model.onnx'), at('onnx'), `${remote.url}onnx/a%20model.onnx`]) {
        const address = await server.model(source);
        const folder = await openFolder(address, { baseUrl: server.url });
        const { graph } = await openOnnx(folder, (await onnxOf(folder))!);
        const bytes = await graph.initializers[0]!.bytes();
        expect(new Float32Array(bytes.buffer as ArrayBuffer)[299]).toBe(299);
        expect(server.renamed(`${address}: broken`)).toBe(`${source}: broken`);
        if (source !== at('onnx')) continue;
        const beside = address.replace(/[^/]*$/, 'weights');
        expect(server.renamed(beside)).toBe(at('onnx/weights'));
      }
    } finally {
      await remote.close();
    }
  });

  it('serves a model that lies behind a URL', async () => {
    const remote = await serveFolder(root);
    try {
      expect(await checkpoint(`${remote.url}model`)).toBe(0);
      expect(await checkpoint(`${remote.url}model/model.safetensors`)).toBe(0);
    } finally {
      await remote.close();
    }
  });

  it('answers ranges', async () => {
    const url = `${await server.model(at('model'))}config.json`;
    const part = await fetch(url, { headers: { range: 'bytes=1-3' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 1-3/7', '"n"']);
    expect((await fetch(url, { headers: { range: 'bytes=7-' } })).status).toBe(416);
  });

  it('calls models by the names that they were given', async () => {
    const address = await server.model(at('model'));
    expect(server.renamed(`${address}config.json: broken`)).toBe(`${at('model')}/config.json: broken`);
  });

  it('lends chunks, then says that there are no more', async () => {
    const name = server.lend([Uint8Array.of(1, 2), Uint8Array.of(3)]);
    const next = async () => new Uint8Array(await (await fetch(`${server.url}lent/${name}`)).arrayBuffer());
    expect(await next()).toEqual(Uint8Array.of(1, 2));
    expect(await next()).toEqual(Uint8Array.of(3));
    expect((await fetch(`${server.url}lent/${name}`)).status).toBe(204);
  });
});

describe('a failure on the side of the command', () => {
  let failing: JobServer;
  afterEach(() => failing.close());

  it('is kept, as the page only sees that something failed', async () => {
    failing = await serveJobs(at('pages'));
    expect(failing.failure()).toBeUndefined();
    const name = failing.lend(
      (function* () {
        yield Uint8Array.of(1);
        throw new Error('the disk is gone');
      })(),
    );
    await fetch(`${failing.url}lent/${name}`);
    expect(failing.failure()).toBeUndefined();
    expect((await fetch(`${failing.url}lent/${name}`)).status).toBe(502);
    expect(failing.failure()).toMatchObject({ message: 'the disk is gone' });
  });
});
