import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { serveFolder } from '../../tools/serve.mjs';
import { run } from '../../tools/system.mjs';
import { findVulkanDriver, vulkanEnv } from '../../tools/vulkan.mjs';
import { encodeModel, node } from '../support/onnx.ts';
import { allBlocks, asJavaScript, complaints, DOCUMENTS, moduleOf, ROOT } from './docs/blocks.ts';
import { PATIENCE, startBrowser } from './support.ts';

// Every block of the documents that is code, against the built package as an app sees it.
const FOLDER = join(ROOT, '.cache/blocks');
const NAMES = ['engine', 'b', 'weights', 'pixels', 'x', 'model', 'output'];

const blocks = allBlocks();
const of = (kind: string, page?: string) =>
  blocks.filter((block) => block.kind === kind && (page === undefined || block.page === page));
const named = (page: string): string => page.replace(/\W/g, '_');
const pages = DOCUMENTS.filter((page) => of('ts', page).length);
const inNode = DOCUMENTS.filter((page) => of('ts node', page).length);

let browser: Browser;
let server: { url: string; close: () => Promise<void> };

beforeAll(async () => {
  await build({ only: ['lib'], log: () => {} });
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'models'), { recursive: true });
  const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(FOLDER, name), text);
  const module = (name: string, code: string): void => {
    write(`${name}.ts`, code);
    write(`${name}.js`, asJavaScript(code));
  };
  const given = readFileSync(join(ROOT, 'tests/pages/docs/given.ts'), 'utf8');
  module('given', given.replace('../../../src/index.ts', 'tilewright'));
  for (const page of pages) module(named(page), moduleOf(of('ts', page), NAMES));
  for (const page of inNode) {
    module(`${named(page)}_node`, moduleOf(of('ts node', page)));
    write(
      `${named(page)}_run.js`,
      `import run from './${named(page)}_node.js';\nawait run((line) => console.log('ran', line));\n`,
    );
  }
  for (const { page, line, code } of of('html')) write(`${named(page)}_${line}.html`, code);
  write('index.html', PAGE);
  write('models/detector.onnx', detector());
  const built = { '/lib/': join(ROOT, 'dist/lib'), '/node_modules/tilewright/': ROOT };
  server = await serveFolder([{ '/': FOLDER, '/weights/': join(ROOT, 'weights'), ...built }]);
  browser = await startBrowser();
}, PATIENCE * 2);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Where the blocks of the documents run: a page that has what they look for, and says what came to its end. */
const PAGE = `<!doctype html><title>blocks</title>
<script type="importmap">{ "imports": { "tilewright": "/lib/index.js", "tilewright/cache": "/lib/cache.js", "tilewright/webnn": "/lib/webnn.js", "tilewright/worker": "/lib/worker.js" } }</script>
<img src="/weights/samples/cat.png" alt=""><output></output>
<script type="module">
  const results = [];
  for (const [page, name] of ${JSON.stringify(pages.map((page) => [page, named(page)]))})
    await import('./' + name + '.js')
      .then(({ default: run }) => run((line) => results.push(page + ':' + line)))
      .catch((error) => results.push(page + ': ' + error.stack));
  window.results = results;
</script>`;

/** What the guide's detector takes and gives. */
const detector = (): Uint8Array =>
  encodeModel({
    nodes: [node('GlobalAveragePool', ['image'], ['boxes'])],
    inputs: [['image', 'float', ['batch', 3, 'height', 'width']]],
    outputs: [['boxes', 'float', ['batch', 3, 1, 1]]],
  });

it('every block is of a kind that is compiled, run, checked or no code', () => {
  const kinds = new Set(blocks.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(['diff', 'html', 'json', 'mermaid', 'sh', 'text', 'ts', 'ts node']);
  for (const { page, line, code } of of('json')) expect(() => JSON.parse(code), `${page}:${line}`).not.toThrow();
});

it('the blocks compile against the types of the package', { timeout: PATIENCE }, () => {
  const files = [...pages.map(named), ...inNode.map((page) => `${named(page)}_node`), 'given'];
  expect(complaints(files.map((name) => join(FOLDER, `${name}.ts`)))).toEqual([]);
});

it('the blocks run in a page, to the end of each', { timeout: 2 * PATIENCE }, async () => {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(server.url);
  const ran = await page.waitForFunction(() => (window as { results?: string[] }).results, undefined, {
    timeout: 2 * PATIENCE,
  });
  expect(await ran.jsonValue()).toEqual(pages.flatMap((path) => of('ts', path).map(({ line }) => `${path}:${line}`)));
  expect(errors).toEqual([]);
  await page.close();
});

it('the pages of the blocks work', { timeout: PATIENCE }, async () => {
  for (const { page: document, line } of of('html')) {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${server.url}${named(document)}_${line}.html`);
    await expect.poll(() => page.locator('output').textContent(), { timeout: PATIENCE }).toMatch(/^cat\b/);
    expect(errors).toEqual([]);
    await page.close();
  }
});

it('the blocks for Node run in Node', { timeout: PATIENCE }, async ({ skip }) => {
  const driver = findVulkanDriver();
  if (!driver && !process.env['CI']) skip('no Vulkan driver for Dawn in Node');
  for (const page of inNode) {
    const env = { ...process.env, ...vulkanEnv(driver!.icd) };
    const { output } = await run(process.execPath, [join(FOLDER, `${named(page)}_run.js`)], { cwd: ROOT, env });
    expect(output.match(/ran \d+$/gm), output).toEqual(of('ts node', page).map(({ line }) => `ran ${line}`));
  }
});
