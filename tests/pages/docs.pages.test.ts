import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { PAGES } from '../../tools/docs.mjs';
import { serveFolder } from '../../tools/serve.mjs';
import { ROOT } from './docs/blocks.ts';
import { expectNoOverflow, faults, PATIENCE, startBrowser } from './support.ts';

// The site of the docs as any static host serves it.
const SITE = join(ROOT, 'dist/docs');
const START = 'index.html';
const GUIDE = 'documents/Embed_in_a_page.html';
/** A page of each kind. */
const KINDS = [
  START,
  GUIDE,
  'documents/How_it_is_measured.html',
  'classes/tilewright.Engine.html',
  'classes/tilewright.GraphBuilder.html',
  'interfaces/tilewright.LoadOptions.html',
  'types/tilewright.ErrorCode.html',
  'functions/tilewright.openSafetensors.html',
  'modules/tilewright_webnn.html',
];

let browser: Browser;
let server: { url: string; close: () => Promise<void> };

beforeAll(async () => {
  await build({ only: ['docs'], log: () => {} });
  server = await serveFolder(SITE);
  browser = await startBrowser();
}, 2 * PATIENCE);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const open = async (
  path: string,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; errors: string[] }> => {
  const page = await browser.newPage({ colorScheme });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(server.url + path);
  return { page, errors };
};

/** Types into the search, and waits until it has found something. */
async function search(page: Page, text: string): Promise<string[]> {
  await page.locator('#tsd-search-trigger').click();
  await page.locator('#tsd-search-input').pressSequentially(text);
  await page.locator('#tsd-search-results a').first().waitFor();
  return page.locator('#tsd-search-results a').allTextContents();
}

describe('the site of the docs', () => {
  it('has the guides, what is here of docs/, and both entries', () => {
    const pages = readdirSync(join(SITE, 'documents'));
    expect(pages).toHaveLength(Object.values(PAGES).flat().length);
    for (const module of ['tilewright', 'tilewright_webnn'])
      expect(existsSync(join(SITE, `modules/${module}.html`))).toBe(true);
  });

  it('has no link that leads nowhere', () => {
    const files = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(html|svg)$/.test(file));
    const texts = new Map(files.map((file) => [file, readFileSync(join(SITE, file), 'utf8')]));
    const broken = [...texts].flatMap(([file, text]) =>
      [...text.matchAll(/ (?:href|src)="(?!\w+:)([^"#]*)(?:#([^"]*))?"/g)].flatMap(([link, path = '', anchor]) => {
        const target = path ? join(dirname(file), decodeURIComponent(path)) : file;
        if (!existsSync(join(SITE, target))) return [`${file}:${link}`];
        const there = !anchor || texts.get(target)?.includes(` id="${decodeURIComponent(anchor)}"`);
        return there ? [] : [`${file}:${link}`];
      }),
    );
    expect(files.length).toBeGreaterThan(100);
    expect(broken).toEqual([]);
  });

  it('finds a method by its search, in the API and in a guide', async () => {
    const { page, errors } = await open(START);
    const found = await search(page, 'loadOps');
    expect(found.some((text) => /Engine\W*loadOps/.test(text))).toBe(true);
    await page.locator('#tsd-search-results li', { hasText: 'Engine.' }).first().click();
    await page.waitForURL(/tilewright\.Engine\.html/);
    const { page: other } = await open(GUIDE);
    expect((await search(other, 'preprocessor_config')).join()).toMatch(/Load your own model/);
    await other.keyboard.press('ArrowDown');
    await other.keyboard.press('Enter');
    await other.waitForURL(/Load_your_own_model/);
    expect(errors).toEqual([]);
    await page.close();
    await other.close();
  });

  it('serves llms.txt, whose links lead to Markdown', async () => {
    const text = readFileSync(join(SITE, 'llms.txt'), 'utf8');
    expect(text).toMatch(/^# Tilewright\n\n> A WebGPU inference engine/);
    const links = [...text.matchAll(/^- \[[^\]]+\]\(([^)]+)\): \S/gm)].map(([, path]) => path!);
    expect(links).toEqual(Object.values(PAGES).flat());
    for (const path of links) expect(readFileSync(join(SITE, path), 'utf8')).toMatch(/^# /);
  });
});

// The colours are the same on all pages.
describe.each([
  ['light', KINDS],
  ['dark', [START, GUIDE, 'classes/tilewright.Engine.html']],
] as const)('axe, %s', (colorScheme, kinds) => {
  it.each(kinds)('finds nothing on %s, which fits 360 pixels', { timeout: PATIENCE }, async (path) => {
    const { page, errors } = await open(path, colorScheme);
    expect(await faults(page)).toEqual([]);
    await expectNoOverflow(page);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('finds nothing on the results of a search', { timeout: PATIENCE }, async () => {
    const { page } = await open(START, colorScheme);
    await search(page, 'dispose');
    expect(await faults(page)).toEqual([]);
    await page.close();
  });
});
