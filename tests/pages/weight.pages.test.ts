import type { Browser, Request } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrives, codeBytes, openPage, PATIENCE, startBrowser } from './support.ts';

/** What a page may fetch before anything is asked of it, in bytes as they go over the network: gzipped. */
const MOST: Record<string, number> = {
  '': 40_000,
  'bench/': 45_000,
  'bench/results/': 60_000,
  'examples/chat/': 40_000,
};

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
}, PATIENCE);
afterAll(() => browser?.close());

describe.each(Object.entries(MOST))('the page /%s', (path, most) => {
  it(`is there with less than ${most / 1000} kB, and paints before any weight`, { timeout: PATIENCE }, async () => {
    const requests: Request[] = [];
    const { page } = await openPage(browser, path, {
      before: async (fresh) => {
        fresh.on('requestfinished', (request) => requests.push(request));
      },
    });
    await page.locator('#adapter:not(:empty)').waitFor();
    await page.waitForLoadState('networkidle');
    const sizes = await Promise.all(
      requests
        .filter((request) => request.url().startsWith('http'))
        .map(async (request) => [request.url(), (await request.sizes()).responseBodySize] as const),
    );
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    console.log(`/${path}: ${total} bytes in ${sizes.length} files`);
    expect(total, JSON.stringify(sizes)).toBeLessThan(most);
    expect(sizes.filter(([url]) => /\/weights\//.test(url))).toEqual([]);
    expect(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length)).toBe(1);
    await page.context().close();
  });
});

/** What the code of the bench may be once single ops have run, gzipped, in bytes. The other presets load the same files. */
const RUNS: Record<string, number> = {
  'suite=matmul': 125_000,
  'suite=matmul&suite=gemv&suite=conv&suite=attention&suite=softmax&suite=elementwise': 150_000,
};

describe.each(Object.entries(RUNS))('a run of the bench with %s', (suites, most) => {
  it(`has loaded less than ${most / 1000} kB of code`, { timeout: PATIENCE }, async () => {
    const { page } = await openPage(browser, `bench/?preset=tiny&${suites}`);
    await page.locator('#go:enabled').click();
    await arrives(page, '#link:enabled');
    const total = await codeBytes(page);
    console.log(`bench/?${suites}: ${total} bytes`);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThan(most);
    await page.context().close();
  });
});
