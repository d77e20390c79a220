import { readdirSync, readFileSync } from 'node:fs';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../bench/report.ts';
import { expectNoOverflow, faults, openPage, PATIENCE, startBrowser, textOf } from './support.ts';

const FOLDER = new URL('../../bench/results/', import.meta.url);
const reports = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as BenchReport);

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
}, PATIENCE);
afterAll(() => browser?.close());

describe('the page of results', { timeout: PATIENCE }, () => {
  it('shows every file of the folder, by adapter and by case, and leads to them side by side', async () => {
    const { page, errors } = await openPage(browser, 'bench/results/');
    const lines = page.locator('#adapters tbody tr');
    await lines.first().waitFor();
    expect(await lines.count()).toBe(reports.length);
    const table = await textOf(page.locator('#adapters'));
    for (const { adapter, date, gpu } of reports) {
      expect(table).toContain(gpu ?? adapter.description);
      expect(table).toContain(date.slice(0, 10));
    }
    const ours = reports.flatMap(({ rows }) => rows).find(({ engine }) => engine === 'tilewright')!;
    const name = `${ours.name} ${ours.shape} ${ours.dtype}`;
    await page.locator('#case').selectOption({ label: name });
    const same = reports.flatMap(({ rows }) =>
      rows.filter((row) => row.engine === 'tilewright' && `${row.name} ${row.shape} ${row.dtype}` === name),
    );
    expect(await page.locator('#case-bars tr').count()).toBe(same.length);
    expect(await faults(page)).toEqual([]);
    await expectNoOverflow(page);
    await lines.nth(0).getByRole('checkbox').check();
    await lines.nth(1).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Compare the marked' }).click();
    await page.locator('#compare .run-letters li').nth(1).waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
