import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type BenchReport, SUITES } from '../../bench/report.ts';
import { encodeModel, node } from '../support/onnx.ts';
import {
  arrives,
  codeBytes,
  expectNoOverflow,
  expectOrder,
  expectStill,
  faults,
  hand,
  momentOf,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  startBrowser,
  tabOrder,
  textOf,
  untilText,
} from './support.ts';

const PLOTS = ['plot-size', 'plot-roofline', 'plot-distribution', 'plot-time'];
const OLD = '2026-11-28-google-swiftshader';
const OTHER = '2026-11-28-mesa-llvmpipe';

let browser: Browser;
let open: OpenPage;
let page: Page;
/** The run of the page, as its button for JSON gives it. */
let exported = '';
let report: BenchReport;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'bench/?preset=tiny', { viewport: { width: 1440, height: 900 } });
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const published = (name: string): BenchReport =>
  JSON.parse(readFileSync(new URL(`../../bench/results/${name}.json`, import.meta.url), 'utf8'));
const run = () => page.getByRole('button', { name: 'Run the bench' }).click();
const rowsOf = (of: Page) => of.locator('#table tbody tr:not(.group)');
const marks = (of: Page, plot: string) => of.locator(`#${plot} .mark`).count();

/** All that is drawn and written of a run: headlines, plots, bars, table, notes. */
const pictureOf = (of: Page): Promise<string[]> =>
  of.evaluate(
    (plots) => [
      ...plots.map((id) => document.querySelector(`#${id} .chart-frame`)!.innerHTML),
      ...['headlines', 'bars', 'ceilings', 'table', 'notes'].map((id) => document.getElementById(id)!.innerHTML),
    ],
    PLOTS,
  );

const shown = (of: Page) => of.locator('#table tbody tr').first().waitFor();

/** Opens the page anew, at the same size, in a profile of its own. */
const fresh = (path: string) => openPage(browser, path, { viewport: { width: 1440, height: 900 } });

describe('the bench page', { timeout: 3 * PATIENCE }, () => {
  it('describes the adapter, its limits beside the defaults, and gives that as text', async () => {
    await page.getByRole('button', { name: 'Run the bench' }).and(page.locator(':enabled')).waitFor();
    const card = page.locator('#card');
    const software = (await page.locator('#adapter').getAttribute('class'))?.includes('software');
    expect(await textOf(card)).toMatch(software ? /Software adapter[\s\S]*Software \(CPU\)/ : /KindHardware/);
    expect(await textOf(card)).toMatch(/BrowserChrome \d+/);
    await card.getByText(/^All \d+ features$/).click();
    await card.getByText('All limits').click();
    expect(await textOf(card)).toMatch(/maxStorageBufferBindingSize[\d.,]+ [MG]iB, [\d.,]+× the default/);
    expect(await textOf(card)).toMatch(/maxComputeWorkgroupsPerDimension65,535, the default/);
    await page.getByLabel('Name of the GPU').fill('A GPU of mine');
    await page.getByRole('button', { name: 'Copy as text' }).click();
    await untilText(page.locator('#copy-adapter'), /^Copied$/);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toMatch(/^GPU: A GPU of mine\nBrowser: Chrome[\s\S]*\nFeatures: [\s\S]*maxBufferSize: /);
  });

  it('has its choices in the address, and takes them from there', async () => {
    const other = await fresh('bench/?preset=full&suite=gemv&suite=conv&only=64&dtype=int8');
    const form = other.page.locator('#form');
    const chosen = () =>
      form.evaluate(
        (element: HTMLFormElement) => `${new URLSearchParams([...new FormData(element)] as [string, string][])}`,
      );
    expect(await chosen()).toBe('suite=gemv&suite=conv&preset=full&dtype=int8&only=64&gpu=');
    await other.page.getByLabel('Attention').check();
    await other.page.getByLabel('Name of the GPU').fill('mine');
    expect(new URL(other.page.url()).search).toBe(
      '?preset=full&suite=gemv&suite=conv&suite=attention&only=64&dtype=int8',
    );
    for (const box of await other.page.locator('[name=suite]').all()) await box.uncheck();
    expect(await other.page.getByRole('button', { name: 'Run the bench' }).isDisabled()).toBe(true);
    await other.page.goto(`${inject('site')}bench/?sweet=matmul`);
    expect(await problem(other.page, 'invalid-argument')).toMatch(/no parameter sweet/);
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('can be cancelled, and keeps the rows so far', async () => {
    await page.setViewportSize({ width: 1440, height: 9000 });
    const since = await momentOf(page);
    await run();
    await rowsOf(page).nth(2).waitFor();
    await expectStill(page, { since, most: 0.0001 });
    await page.keyboard.press('Escape');
    await problem(page, 'aborted');
    await page.locator('#download:enabled').waitFor();
    expect(await rowsOf(page).count()).toBeGreaterThan(0);
    expect(await textOf(page.locator('#notes'))).toMatch(/cancelled after \d+ of \d+ cases/);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('measures all suites, draws every plot, and moves nothing meanwhile', async () => {
    const since = await momentOf(page);
    await page.setViewportSize({ width: 360, height: 9000 }); // all of the page is in sight
    await run();
    await page.locator('#cancel').waitFor();
    await page.locator('#go:not([hidden])').waitFor({ timeout: 2 * PATIENCE });
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(await textOf(page.locator('#problem'))).toBe('');
    await expectStill(page, { since, most: 0.001 });
    expect(await codeBytes(page)).toBeLessThan(230_000); // models, tokenizer and ONNX among it
    await arrives(page, '#link:enabled');
    const table = (await page.locator('#table tbody tr').allInnerTexts()).join('\n');
    for (const name of [
      'matmul',
      'gemv',
      'conv2d 3x3',
      'attention',
      'softmax',
      'resnet20',
      'gpt prefill',
      'gpt decode',
    ])
      expect(table).toContain(name);
    expect(table).toMatch(/images\/s[\s\S]*tokens\/s/);
    expect(await textOf(page.locator('#ceilings'))).toMatch(/[\d.,]+ GFLOPS of multiply-adds .*GB\/s read/);
    for (const plot of PLOTS) expect(await marks(page, plot), plot).toBeGreaterThan(1);
    expect(await page.locator('#plot-time .span').count()).toBeGreaterThan(5);
    for (const plot of PLOTS.slice(0, 2)) expect(await page.locator(`#${plot} .rule`).count(), plot).toBeGreaterThan(0);
    expect(await page.locator('#bars tr').count()).toBeGreaterThan(1);
  });

  it('has headlines that say size, type, median and spread', async () => {
    const texts = await page.locator('#headlines .headline').allInnerTexts();
    expect(texts.length).toBeGreaterThanOrEqual(4);
    expect(texts.join('\n')).toMatch(
      /Matrix product, float32[\s\S]*GFLOPS[\s\S]*matmul \d+x\d+x\d+, best of \d+ cases: [\d.,]+ ms, p10–p90 [\d.,]+–[\d.,]+ of \d+ samples/,
    );
  });

  it('exports the figures as JSON, to a file and to the clipboard', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download JSON' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^tilewright-bench-\d{4}-\d\d-\d\d\.json$/);
    exported = readFileSync(await download.path(), 'utf8');
    report = JSON.parse(exported) as BenchReport;
    expect(report.gpu).toBe('A GPU of mine');
    expect(report.rows).toHaveLength(await rowsOf(page).count());
    expect(new Set(report.rows.map(({ suite }) => suite))).toEqual(new Set(SUITES));
    const { fmaF32, readGbps, dispatchUs } = report.ceilings;
    expect([fmaF32 > 0, readGbps > 0, dispatchUs > 0], JSON.stringify(report.ceilings)).not.toContain(false);
    for (const { ms, gbps, pctOfRoof, ratioToTilewright, engine, name } of report.rows) {
      expect([engine, ratioToTilewright]).toEqual(['tilewright', 1]);
      expect(pctOfRoof, name).toBeGreaterThan(0);
      expect(
        [0 < ms.p10, ms.p10 <= ms.median, ms.median <= ms.p90, gbps > 0],
        `${name} ${JSON.stringify(ms)}`,
      ).not.toContain(false);
    }
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await untilText(page.locator('#copy'), /^Copied$/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(exported);
  });

  it('exports CSV, Markdown and a picture', async () => {
    const saved = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
      return readFileSync(await download.path());
    };
    expect(`${await saved('CSV')}`.trim().split('\r\n')).toHaveLength(report.rows.length + 1);
    const png = await saved('PNG card');
    expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(['PNG', 1200, 630]);
    expect(png.length).toBeGreaterThan(10_000);
    await page.getByRole('button', { name: 'Copy Markdown' }).click();
    await untilText(page.locator('#markdown'), /^Copied$/);
    expect(
      (await page.evaluate(() => navigator.clipboard.readText())).split('\n').filter((line) => line.startsWith('| ')),
    ).toHaveLength(report.rows.length + 2);
  });

  it('shows an exported file as the same picture', async () => {
    const other = await fresh('bench/');
    await hand(other.page, 'drop', [{ name: 'run.json', type: 'application/json', bytes: Buffer.from(exported) }]);
    await shown(other.page);
    await expect.poll(() => pictureOf(other.page)).toEqual(await pictureOf(page));
    await hand(other.page, 'drop', [
      { name: 'run.json', type: 'application/json', bytes: Buffer.from(exported.slice(0, 900)) },
    ]);
    await problem(other.page, 'invalid-file');
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('has a link under 8 kB that opens in a fresh profile', async () => {
    await page.getByRole('button', { name: 'Copy link' }).click();
    await untilText(page.locator('#link'), /^Copied$/);
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link.length).toBeLessThan(8000);
    const other = await fresh(link.slice(inject('site').length));
    await shown(other.page);
    for (const plot of PLOTS) {
      // Where samples did not fit into the link, the distribution has three quantiles.
      if (plot === 'plot-distribution') expect(await marks(other.page, plot)).toBeGreaterThanOrEqual(3);
      else expect(await marks(other.page, plot), plot).toBe(await marks(page, plot));
    }
    const names = (of: Page) => of.locator('#table tbody td:first-child').allInnerTexts();
    expect(await names(other.page)).toEqual(await names(page));
    expect(await textOf(other.page.locator('#shown-name'))).toContain('A GPU of mine');
    const medians = async (of: Page) =>
      (await of.locator('#table td.main').allInnerTexts()).map((text) => Number(text.replace(',', '')));
    const own = await medians(page);
    for (const [i, ms] of (await medians(other.page)).entries())
      expect(Math.abs(ms - own[i]!)).toBeLessThanOrEqual(0.011 * Math.max(1, own[i]!));
    for (const broken of [
      link.slice(0, -40),
      `${inject('site')}bench/#run=%00%FF`,
      `${inject('site')}bench/#run=`,
      `${inject('site')}bench/#compare=../../package`,
    ]) {
      await other.page.goto('about:blank');
      await other.page.goto(broken);
      await problem(other.page, 'invalid-file');
    }
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('puts two results side by side, with the ratios of their files', async () => {
    const other = await fresh(`bench/#compare=${OLD},${OTHER}`);
    await other.page.locator('#ratios').waitFor();
    const [a, b] = [published(OLD), published(OTHER)];
    const lines = await other.page
      .locator('#ratios tbody tr:not(.group)')
      .evaluateAll((rows) => rows.map((row) => [...row.children].map(({ textContent }) => textContent)));
    expect(lines).toHaveLength(a.rows.length);
    let compared = 0;
    for (const { name, shape, dtype, engine, ms } of a.rows) {
      const same = b.rows.find(
        (row) => row.name === name && row.shape === shape && row.dtype === dtype && row.engine === engine,
      );
      const title = `${name} ${shape} ${dtype}${engine === 'tilewright' ? '' : `, ${engine}`}`;
      const [, , cell = ''] = lines.find(([first]) => first === title)!;
      if (!same) expect(cell).toBe('not run');
      else {
        const ratio = ms.median / same.ms.median;
        const told = Number(/^([\d.,]+)×/.exec(cell)![1]!.replace(',', ''));
        expect(Math.abs(told - ratio), title).toBeLessThanOrEqual(ratio < 10 ? 0.0051 : 0.0051 * ratio);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(60);
    expect(await faults(other.page)).toEqual([]);
    await expectNoOverflow(other.page);
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('says that a run is void when its tab was hidden', async () => {
    const other = await fresh('bench/?preset=tiny&suite=matmul');
    await other.page.locator('#go:enabled').click();
    await rowsOf(other.page).first().waitFor();
    await other.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await other.page.locator('#go:enabled').waitFor();
    expect(await textOf(other.page.locator('#void'))).toMatch(
      /^This run is voidNothing in it counts: the tab was hidden \d+\.\d s into the run\.$/,
    );
    expect(await rowsOf(other.page).count()).toBeGreaterThan(0);
    expect(await textOf(other.page.locator('#runs-table'))).toMatch(/tiny, \d+ rows, void/);
    expect(await textOf(other.page.locator('#headlines'))).toMatch(/Score–/);
    expect(await faults(other.page)).toEqual([]);
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('runs a model that is dropped on it: its load, its first answer, and answers after that', async () => {
    const other = await fresh('bench/?preset=tiny');
    for (const box of await other.page.locator('[name=suite]:visible').all()) await box.uncheck();
    const bytes = encodeModel({
      inputs: [['x', 'float', [3, 5]]],
      outputs: [['y', 'float', [3, 5]]],
      nodes: [node('Softmax', ['x'], ['y'])],
    });
    await hand(other.page, 'drop', [{ name: 'mine.onnx', type: '', bytes }]);
    await untilText(other.page.locator('#custom-name'), /^mine\.onnx$/);
    expect(await other.page.locator('#custom').isChecked()).toBe(true);
    await other.page.locator('#go:enabled').click();
    await arrives(other.page, '#link:enabled');
    const cells = rowsOf(other.page).locator('td:first-child');
    const names = await cells.evaluateAll((list) => list.map(({ firstChild }) => firstChild?.textContent));
    expect(names).toEqual(['mine.onnx load', 'mine.onnx first answer', 'mine.onnx']);
    expect(await textOf(other.page.locator('#table .group').first())).toBe('Your own model');
    expect(other.errors).toEqual([]);
    await other.page.context().close();
  });

  it('sorts the rows of each suite by a column', async () => {
    const column = page.locator('#table').getByRole('button', { name: 'ms' });
    const figures = (suite: number) => page.locator('#table tbody').nth(suite).locator('td.main').allInnerTexts();
    const numbers = async () => (await figures(0)).map((text) => Number(text.replace(',', '')));
    await column.click();
    expect(
      await page
        .locator('#table th[aria-sort]')
        .evaluateAll((heads) => heads.map((head) => head.getAttribute('aria-sort'))),
    ).toEqual(['descending']);
    const down = await numbers();
    expect(down).toEqual(down.toSorted((x, y) => y - x));
    await column.click();
    expect(await numbers()).toEqual(down.toReversed());
  });

  it('tells the marks of a plot by mouse and by keyboard, and has them as a table', async () => {
    const plot = page.locator('#plot-roofline');
    const readout = plot.locator('.chart-readout');
    await plot.locator('.chart-frame').focus();
    await page.keyboard.press('ArrowRight');
    const first = await untilText(readout, /ms, p10–p90 .*GFLOPS/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => textOf(readout)).not.toBe(first);
    await page.keyboard.press('Home');
    await expect.poll(() => textOf(readout)).toBe(first);
    await plot.locator('.mark').last().hover();
    await untilText(readout, /GFLOPS/);
    await plot.getByText('As a table').click();
    const rows = plot.locator('.chart-table tbody tr');
    await expect.poll(() => rows.count()).toBe(await marks(page, 'plot-roofline'));
  });

  it('keeps its runs for the next visit, until they are removed', async () => {
    await page.goto(`${inject('site')}bench/?preset=tiny`);
    const kept = page.locator('#runs-table tbody tr');
    await untilText(kept, /A GPU of mine[\s\S]*kept here, tiny/);
    expect(await page.getByLabel('Name of the GPU').inputValue()).toBe('A GPU of mine');
    await page.getByRole('radio', { name: /^Show A GPU/ }).check();
    await shown(page);
    expect(await rowsOf(page).count()).toBe(report.rows.length);
  });

  it.each([
    [1440, 'light'],
    [1440, 'dark'],
    [360, 'light'],
    [360, 'dark'],
  ] as const)('has no fault that axe finds at %i pixels, %s', async (width, colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await expectNoOverflow(page, width);
    expect(await faults(page)).toEqual([]);
    if (width > 360) return;
    // The milliseconds are in sight, and no two labels of a plot overlap.
    const { x, width: wide } = (await page.locator('#table td.main').first().boundingBox())!;
    expect(x + wide).toBeLessThanOrEqual(360);
    const overlaps = await page.locator('.chart-frame svg').evaluateAll((plots) =>
      plots.flatMap((plot) => {
        const boxes = [...plot.querySelectorAll('text')].map((text) => ({
          text: text.textContent,
          box: text.getBoundingClientRect(),
        }));
        return boxes.flatMap(({ text, box }, i) =>
          boxes
            .slice(i + 1)
            .filter(
              (other) =>
                box.left < other.box.right &&
                other.box.left < box.right &&
                box.top + 2 < other.box.bottom &&
                other.box.top + 2 < box.bottom,
            )
            .map((other) => `${text} and ${other.text}`),
        );
      }),
    );
    expect(overlaps).toEqual([]);
  });

  it('is usable by keyboard', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Matrix product/,
      /^Quick|^tiny/,
      /^Run the bench/,
      /^Name of the GPU/,
      /^All \d+ features/,
      /^Copy link/,
      /^Download/,
      /^GFLOPS of the matrix product/,
      /^Roofline/,
      /^Casematmul/,
      /^Table of results/,
      /^Open JSON/,
      /^Show A GPU/,
      /^Remove A GPU/,
    ]);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));
});
