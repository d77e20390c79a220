import { defineBrowserProvider } from '@vitest/browser';
import type { Browser } from 'puppeteer-core';
import type { BrowserProviderOption } from 'vitest/node';
import { launchFirefox } from '../../tools/firefox.mjs';

/** Runs Vitest's tests in Firefox over WebDriver BiDi: Playwright drives builds of its own only. One page for all files. */
export const firefox = (executablePath: string, icd: string): BrowserProviderOption =>
  defineBrowserProvider({
    name: 'firefox',
    supportedBrowser: ['firefox'],
    options: {},
    providerFactory() {
      let browser: Promise<Browser> | undefined;
      return {
        name: 'firefox',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_session, url) {
          browser ??= launchFirefox(executablePath, icd);
          const page = await (await browser).newPage();
          await page.goto(url, { timeout: 0 });
        },
        close: async () => (await browser)?.close(),
      };
    },
  });
