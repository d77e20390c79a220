import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/index.ts';
import {
  expectNoOverflow,
  expectOrder,
  misplaces,
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
  open = await openPage(browser, 'examples/verify/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const verify = () => page.getByRole('button', { name: 'Verify', exact: true });
const rows = () => page.locator('#table tbody tr');

describe('the page that verifies', { timeout: 2 * PATIENCE }, () => {
  it('checks every kernel of a network', async () => {
    await verify().click();
    await untilText(page.locator('#outcome h2'), /^What runs here is right$/);
    expect(await textOf(page.locator('#outcome'))).toMatch(/\d+ kernels on \d+ shapes in/);
    expect(await rows().count()).toBeGreaterThan(20);
    const first = await textOf(rows().first());
    expect(first).toMatch(/^right\w+\[/);
    expect(await page.locator('#table .wrong').count()).toBe(0);
  });

  it('gives the report as JSON', async () => {
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await untilText(page.locator('#copy'), /^Copied$/);
    const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as VerifyReport;
    expect(report.rows).toHaveLength(await rows().count());
    expect(report).toMatchObject({ passed: true, aside: {}, summary: { failed: 0 } });
    expect(report.adapter.limits.maxBufferSize).toBeGreaterThan(0);
    expect(Date.parse(report.date)).not.toBeNaN();
  });

  it('can be cancelled, and begins again', async () => {
    await page.getByText('All ops').click();
    await verify().click();
    await rows().nth(3).waitFor();
    await page.keyboard.press('Escape');
    expect(await problem(page, 'aborted')).toContain('verifying');
    expect(await page.locator('#outcome').isVisible()).toBe(false);
    await page.getByText('GPT', { exact: true }).click();
    await page.locator('#dtype').selectOption('int8');
    await page.getByRole('button', { name: 'Start again' }).click();
    await untilText(page.locator('#outcome h2'), /^What runs here is right$/);
    expect(await textOf(page.locator('#table'))).toContain('attention');
  });

  it('is usable by keyboard, and fits 360 pixels', async () => {
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Verify/,
      /^GPT/,
      /^Weights in/,
      /^Every/,
      /^Verify/,
      /^Cop/,
      /^Table/,
    ]);
    await expectNoOverflow(page);
    await expectNoOverflow(page, 320);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));

  it('says what is wrong and what took its place, remembers it, and forgets it where asked', async () => {
    const { page: other, errors } = await openPage(browser, 'examples/verify/', {
      before: misplaces('binary[float32,mul]'),
    });
    const start = other.getByRole('button', { name: 'Verify', exact: true });
    await start.click();
    const outcome = other.locator('#outcome');
    await untilText(outcome, /What runs here is right[\s\S]*wrong and replaced, 0 wrong for good/);
    expect(await textOf(outcome)).toMatch(
      /binary\[float32,mul\] \[.*\] \(element \d+\) is .*; replaced by binary_strided\[float32,mul\]/,
    );
    expect(await textOf(other.locator('#table .wrong').first())).toMatch(/^wrong, replacedbinary\[float32,mul\]/);
    await start.click();
    await untilText(outcome, /Set aside by earlier checks[\s\S]*binary\[float32,mul\]/);
    expect(await other.locator('#table .wrong').count()).toBe(0);
    await other.getByRole('button', { name: 'Check these again' }).click();
    await untilText(outcome, /wrong and replaced/);
    expect(errors).toEqual([]);
    await other.context().close();
  });
});
