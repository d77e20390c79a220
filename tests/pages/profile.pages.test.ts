import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel, floats, node } from '../support/onnx.ts';
import {
  expectNoOverflow,
  faults,
  hand,
  type OpenPage,
  openPage,
  PATIENCE,
  startBrowser,
  untilText,
} from './support.ts';

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/profile/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

/** y: of x [n, 4] in two layers. */
const small = encodeModel({
  inputs: [['x', 'float', ['n', 4]]],
  outputs: [['y', 'float', ['n', 4]]],
  initializers: [
    floats(
      'w',
      [4, 4],
      Array.from({ length: 16 }, (_, i) => i / 16),
    ),
  ],
  nodes: [
    { ...node('MatMul', ['x', 'w'], ['a']), name: 'first/product' },
    { ...node('Softmax', ['a'], ['b']), name: 'first/softmax' },
    { ...node('Softmax', ['b'], ['y']), name: 'second/softmax' },
  ],
});

const saved = async (name: string): Promise<string> => {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ]);
  return readFileSync(await file.path(), 'utf8');
};

const firstCells = (): Promise<string[]> =>
  page.locator('section[aria-label="Table of dispatches"] tbody tr td:first-child').allTextContents();

describe('the page that profiles', { timeout: 4 * PATIENCE }, () => {
  it('profiles a model that is dropped on it, at sizes that are chosen', async () => {
    await hand(page, 'drop', [{ name: 'small.onnx', type: '', bytes: small }]);
    await page.locator('#form:not([hidden])').waitFor();
    await page.locator('#dims input').fill('2');
    await page.locator('#rounds').fill('2');
    await page.locator('#run').click();
    await untilText(page.locator('#status'), /^Done/, 3 * PATIENCE);
    expect(await firstCells()).toEqual(['first/product', 'first/softmax', 'second/softmax']);
    expect(await page.locator('.roofline circle').count()).toBe(3);
    expect(await page.locator('.roofline .roof').count()).toBe(1);
    expect(await page.locator('#views').textContent()).toContain('FLOPs (B) for one forward pass');
  });

  it('sorts by a press on a heading, and brings the order back by the third', async () => {
    const layer = page.locator('section[aria-label="Table of dispatches"] [data-sort="0"]');
    await layer.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await firstCells()).toEqual(['second/softmax', 'first/softmax', 'first/product']);
    await page.keyboard.press('Enter');
    expect((await firstCells())[0]).toBe('first/product');
  });

  it('has a chart of layers that arrow keys walk through', async () => {
    await page.locator('.flame button').first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.flame-told').textContent()).toMatch(/^first: [\d.]+ ms, [\d.]+ %$/);
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.flame-told').textContent()).toMatch(/^second\/softmax: /);
    const width = (): Promise<number> =>
      page.locator('.flame button', { hasText: 'second/softmax' }).evaluate((bar) => bar.clientWidth);
    const before = await width();
    await page.keyboard.press('Enter');
    expect(await width()).toBeGreaterThan(before);
    await page.keyboard.press('Escape');
    expect(await width()).toBe(before);
  });

  it('marks a track for DevTools', async () => {
    const tracks = await page.evaluate(() =>
      performance
        .getEntriesByType('measure')
        .flatMap((entry) => (entry as PerformanceMeasure).detail?.devtools?.track ?? []),
    );
    expect(tracks.length).toBeGreaterThanOrEqual(3);
    expect(new Set(tracks)).toEqual(new Set(['Layers']));
  });

  it('saves figures, a trace, and a report that stands alone', async () => {
    expect(JSON.parse(await saved('Save JSON')).rows).toHaveLength(3);
    expect(JSON.parse(await saved('Save trace')).traceEvents.length).toBeGreaterThan(3);
    const report = await browser.newPage();
    const errors: string[] = [];
    report.on('pageerror', (error) => errors.push(error.message));
    report.on('request', (request) => !request.url().startsWith('data:') && errors.push(request.url()));
    await report.setContent(await saved('Save report'));
    await report.locator('[data-sort="0"]').first().click();
    expect(await report.locator('th[aria-sort]').count()).toBe(1);
    expect(await report.locator('.flame button').count()).toBeGreaterThan(3);
    expect(await faults(report)).toEqual([]);
    await expectNoOverflow(report);
    expect(errors).toEqual([]);
    await report.close();
  });

  it('can be read at 360 and 1440, and axe finds nothing', async () => {
    await expectNoOverflow(page, 1440);
    expect(await faults(page)).toEqual([]);
    await expectNoOverflow(page);
    expect(open.errors).toEqual([]);
  });
});
