import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BenchReport, SUITES } from '../../bench/report.ts';
import {
  expectNoOverflow,
  expectOrder,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  startBrowser,
  tabOrder,
  textOf,
  untilText,
} from './support.ts';

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'bench/?preset=tiny');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const run = () => page.getByRole('button', { name: 'Run the bench' }).click();
const rows = () => page.locator('#table tbody tr');

/** Pixels of a plot that are not of its ground: how many there are of each of the most frequent colours. */
const inked = (plot: string): Promise<number> =>
  page.locator(`#${plot} canvas`).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Map<number, number>();
    for (const pixel of new Uint32Array(data.buffer)) colours.set(pixel, (colours.get(pixel) ?? 0) + 1);
    // A steep line at 360 pixels has a few dozen pixels of its very colour; ground, grid and letters are grey.
    const coloured = ([pixel, count]: [number, number]): boolean => {
      const channels = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
      return count >= 20 && pixel >>> 24 === 255 && Math.max(...channels) - Math.min(...channels) > 60;
    };
    return [...colours].filter(coloured).length;
  });

describe('the bench page', { timeout: 2 * PATIENCE }, () => {
  it('describes the adapter, and says when it is software', async () => {
    await page.getByRole('button', { name: 'Run the bench' }).and(page.locator(':enabled')).waitFor();
    const card = page.locator('#card');
    const software = (await page.locator('#adapter').getAttribute('class'))?.includes('software');
    expect(await textOf(card)).toMatch(software ? /Software adapter[\s\S]*Software \(CPU\)/ : /KindHardware/);
    await card.getByText(/^All \d+ features$/).click();
    await card.getByText('All limits').click();
    expect(await textOf(card)).toMatch(/maxStorageBufferBindingSize[\d.,]+ [MG]iB/);
    await expectNoOverflow(page);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('can be cancelled, and keeps the rows so far', async () => {
    await run();
    await rows().first().waitFor();
    await page.keyboard.press('Escape');
    await problem(page, 'aborted');
    expect(await rows().count()).toBeGreaterThan(0);
    expect(await page.locator('#download').isDisabled()).toBe(true);
  });

  it('measures all suites, and draws its plots', async () => {
    await run();
    await page.locator('#progress').waitFor();
    await page.locator('#download:enabled').waitFor();
    expect(await textOf(page.locator('#problem'))).toBe('');
    const table = (await rows().allInnerTexts()).join('\n');
    for (const name of [
      'matmul',
      'gemv',
      'conv2d 3x3',
      'attention',
      'resnet20',
      'resnet from ONNX',
      'gpt prefill',
      'gpt decode',
      'load',
    ])
      expect(table).toContain(name);
    expect(await textOf(page.locator('#ceilings'))).toMatch(/[\d.,]+ GFLOPS of multiply-adds .*GB\/s read/);
    expect(table).toMatch(/images\/s/);
    expect(table).toMatch(/tokens\/s/);
    expect(await page.locator('#headlines .card').count()).toBe(4);
    // float32 and int8 have a colour each; of two lines that are equally fast one hides the other.
    expect(await inked('plot-conv')).toBeGreaterThanOrEqual(2);
    expect(await inked('plot-matmul')).toBeGreaterThanOrEqual(1);
  });

  it('exports the figures as JSON, to a file and to the clipboard', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download JSON' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^tilewright-bench-\d{4}-\d\d-\d\d\.json$/);
    const text = readFileSync(await download.path(), 'utf8');
    const report = JSON.parse(text) as BenchReport;
    expect(report.rows).toHaveLength(await rows().count());
    expect(new Set(report.rows.map(({ suite }) => suite))).toEqual(new Set(SUITES));
    const { fmaF32, readGbps, dispatchUs } = report.ceilings;
    expect([fmaF32 > 0, readGbps > 0, dispatchUs > 0], JSON.stringify(report.ceilings)).not.toContain(false);
    for (const { ms, gflops, gbps, pctOfRoof, ratioToTilewright, engine, name } of report.rows) {
      expect([engine, ratioToTilewright]).toEqual(['tilewright', 1]);
      expect(pctOfRoof, name).toBeGreaterThan(0);
      expect(ms.n, name).toBeGreaterThanOrEqual(name === 'load' ? 1 : 3);
      expect(
        [0 < ms.p10, ms.p10 <= ms.median, ms.median <= ms.p90, gflops > 0, gbps > 0],
        `${name} ${JSON.stringify(ms)}`,
      ).not.toContain(false);
    }
    expect(report.adapter.limits.maxBufferSize).toBeGreaterThan(0);
    expect(Date.parse(report.date)).not.toBeNaN();
    expect(report.versions).toMatchObject({
      tilewright: expect.stringMatching(/^\d+\.\d+\.\d+/),
      browser: expect.stringContaining('Chrome'),
    });
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await untilText(page.locator('#copy'), /^Copied$/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
  });

  it('draws the plots again in the other colours, and fits 360 pixels', async () => {
    const width = () => page.locator('#plot-matmul canvas').evaluate((canvas) => canvas.clientWidth);
    const wide = await width();
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectNoOverflow(page);
    await expect.poll(width, { timeout: 10_000 }).toBeLessThan(wide);
    await expect.poll(() => inked('plot-conv'), { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    await expectNoOverflow(page);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('is usable by keyboard', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Matrix product/,
      /^Quick/,
      /^Run the bench/,
      /^All \d+ features/,
      /^Download/,
      /^Cop(y|ied)/,
      /^Table/,
    ]);
  });

  it('needs a suite to run', async () => {
    for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
    expect(await page.getByRole('button', { name: 'Run the bench' }).isDisabled()).toBe(true);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));
});
