import type { Browser, Page } from 'puppeteer-core';
import { expect, inject } from 'vitest';
import { findFirefox, launchFirefox } from '../../tools/firefox.mjs';

/** What a page may take on a software adapter, kernels compiled, beside whatever else the machine does, in ms. */
export const PATIENCE = 240_000;

/** The Firefox that the machine has, on the Vulkan driver of the suite. */
export async function startFirefox(): Promise<Browser> {
  const path = await findFirefox();
  if (!path) throw new Error('No Firefox: `npm test -- firefox` installs one.');
  return launchFirefox(path, process.env['VK_DRIVER_FILES'] ?? '');
}

/** Opens a page of the site. `errors`: what it threw or logged as an error so far. */
export async function open(browser: Browser, path: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String((error as Error).stack ?? error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(inject('site') + path);
  return { page, errors };
}

/** Waits until the text of the element fits. */
export async function untilText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const text = (): Promise<string> =>
    page.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? '', selector);
  await expect.poll(text, { timeout: PATIENCE, interval: 100 }).toMatch(pattern);
  return text();
}
