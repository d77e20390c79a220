import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PAGES as SITE } from '../../tools/pages-plugin.ts';
import {
  expectNoOverflow,
  expectOrder,
  expectStill,
  openPage,
  PATIENCE,
  startBrowser,
  tabOrder,
  takePictures,
  textOf,
} from './support.ts';

/** The pages of the menu, and the landing page. Lessons are in learn.pages.test.ts. */
const PAGES = SITE.filter(({ folder, menu }) => menu || !folder).map(({ folder }) => folder);

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
}, PATIENCE);
afterAll(() => browser?.close());

describe('the landing page', { timeout: PATIENCE }, () => {
  it('describes the adapter, leads to the pages and fits 360 pixels', async () => {
    const { page, errors } = await openPage(browser, '');
    await page.locator('#card .facts').first().waitFor();
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Tilewright/,
      /^Bench/,
      /^Classify a picture/,
      /^Classify/,
      /^All limits/,
    ]);
    const addresses = await page
      .locator('a[href]')
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    for (const path of PAGES.slice(1)) expect(addresses).toContain(`${inject('site')}${path}index.html`);
    for (const address of new Set(addresses)) expect((await page.request.get(address)).status(), address).toBe(200);
    await expectNoOverflow(page);
    await expectNoOverflow(page, 320);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('rests where motion is unwelcome, and moves elsewhere', async () => {
    const moving = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
      const { page } = await openPage(browser, '', { reducedMotion });
      const running = await page.evaluate(() => document.getAnimations().length);
      await page.context().close();
      return running;
    };
    expect(await moving('reduce')).toBe(0);
    expect(await moving('no-preference')).toBeGreaterThan(0);
  });
});

describe.each(PAGES)('the menu of /%s', (path) => {
  it('leads to all other pages, and marks its own; the page comes without a move', { timeout: PATIENCE }, async () => {
    const { page } = await openPage(browser, path, { viewport: { width: 360, height: 740 } });
    const links = page.locator('nav[aria-label="Pages"] a');
    const addresses = await links.evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    const wanted = PAGES.slice(1).map((other) => `${inject('site')}${other}index.html`);
    expect(addresses.toSorted()).toEqual(wanted.toSorted());
    const own = await page
      .locator('nav[aria-label="Pages"] a[aria-current="page"]')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    expect(own).toEqual(path ? [`${inject('site')}${path}index.html`] : []);
    await page.locator('#adapter:not(:empty)').waitFor();
    await page.waitForLoadState('networkidle');
    await expectStill(page);
    await takePictures(page, path.split('/').at(-2) ?? 'landing');
    await page.context().close();
  });
});

/** What was measured elsewhere is shown anywhere. */
const COMPUTING = PAGES.filter((path) => path !== 'bench/results/');

describe.each(COMPUTING)('without WebGPU, /%s', (path) => {
  it('says so, with what helps, and breaks nothing', { timeout: PATIENCE }, async () => {
    const { page, errors } = await openPage(browser, path, {
      before: (fresh) =>
        fresh.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })),
    });
    const card = page.locator('[data-code="no-webgpu"]');
    await card.waitFor();
    expect(await textOf(card)).toMatch(/needs WebGPU[\s\S]*Chrome or Edge \d+\+/);
    expect(await textOf(page.locator('#adapter'))).toBe('no WebGPU');
    if (path && !path.endsWith('/learn/')) expect(await page.locator('#work').isVisible()).toBe(false);
    await expectNoOverflow(page);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

describe.each(['light', 'dark'] as const)('the colours, %s', (colorScheme) => {
  it('have the contrast that reading takes: 4.5 by WCAG 2', { timeout: PATIENCE }, async () => {
    const { page } = await openPage(browser, '', { colorScheme });
    const faint = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
      const luminance = (name: string): number => {
        context.fillStyle = style.getPropertyValue(name).trim();
        context.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((byte) => {
          const c = byte / 255;
          return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        }) as [number, number, number, number];
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
      };
      const contrast = (a: string, b: string): number =>
        Math.max(luminance(a) / luminance(b), luminance(b) / luminance(a));
      const inks = ['--ink', '--soft', '--accent', '--warm', '--bad'];
      const pairs = [
        ...inks.flatMap((ink) => ['--paper', '--raised', '--sunken'].map((ground) => [ink, ground] as const)),
        ...['--ink', '--soft', '--warm'].map((ink) => [ink, '--warm-wash'] as const),
        ...['--ink', '--soft', '--bad'].map((ink) => [ink, '--bad-wash'] as const),
        ['--on-accent', '--accent'] as const,
      ];
      return pairs.flatMap(([a, b]) => (contrast(a, b) >= 4.5 ? [] : [`${a} on ${b}: ${contrast(a, b)}`]));
    });
    expect(faint).toEqual([]);
    await page.context().close();
  });
});
