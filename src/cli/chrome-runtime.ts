import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { chooseAdapter, chromeFlags, findChrome } from '../../tools/chrome.mjs';
import { TilewrightError, throwIfAborted } from '../errors.ts';
import { HOST } from './files.ts';
import { type JobServer, serveJobs } from './job-server.ts';
import type { JobEvent } from './jobs/job.ts';
import { optional } from './optional.ts';
import type { Runtime } from './runtime.ts';
import { fromWire } from './wire.ts';

/** Where the page of host.ts lies among what is built for it. */
const PAGE = 'src/cli/host.html';

/** How long a page may take to stop after an abort before its browser is closed. */
const GRACE_MS = 3_000;

/**
 * A page of headless Chrome: the machine's GPU where Chrome has one to offer, else SwiftShader. Errors:
 * `missing-dependency` without puppeteer-core or Chrome; `not-found` where the page is not built; `aborted`.
 */
export async function openChrome(signal: AbortSignal): Promise<Runtime> {
  const { launch } = await optional('puppeteer-core', 'The chrome runtime', () => import('puppeteer-core'));
  if (!existsSync(join(HOST, PAGE))) {
    const message = `the page for headless Chrome is not built: there is no ${join(HOST, PAGE)}`;
    throw new TilewrightError('not-found', message, { hint: 'npm run build' });
  }
  const executablePath = await chromePath();
  const adapter = await chooseAdapter(executablePath);
  throwIfAborted(signal, 'starting Chrome');
  const server = await serveJobs(HOST);
  let browser: Browser | undefined;
  try {
    browser = await launch({
      executablePath,
      // Developer features: timestamps are not rounded to 100 µs.
      args: [...chromeFlags(adapter), '--enable-webgpu-developer-features', '--disable-background-timer-throttling'],
      handleSIGINT: false, // an abort comes first
      protocolTimeout: 0, // a job takes the time it takes
    });
    const page = await browser.newPage();
    const events = { listener: (_: JobEvent): void => {} };
    await page.exposeFunction('tilewrightEmit', (event: JobEvent) => events.listener(event));
    await page.goto(server.url + PAGE);
    throwIfAborted(signal, 'starting Chrome');
    return await chromeRuntime(browser, page, server, events);
  } catch (error) {
    await Promise.allSettled([browser?.close(), server.close()]);
    throw error;
  }
}

async function chromePath(): Promise<string> {
  const path = await findChrome().catch((cause: Error) => {
    throw new TilewrightError('missing-dependency', cause.message, { cause });
  });
  if (path !== undefined) return path;
  throw new TilewrightError('missing-dependency', 'no Chrome was found', {
    hint: 'Install Chrome or Chromium, set CHROME_PATH to one, or use --runtime dawn.',
  });
}

async function chromeRuntime(
  browser: Browser,
  page: Page,
  server: JobServer,
  events: { listener: (event: JobEvent) => void },
): Promise<Runtime> {
  // What was asked of a page that crashes is never answered.
  const crash = new Promise<never>((_, reject) => page.once('error', (cause) => reject(ended(cause))));
  crash.catch(() => {}); // told to the job in progress, if there is one
  return {
    name: 'chrome',
    description: `headless ${(await browser.version()).replace(/^Headless/, '').replace('/', ' ')}`,
    model: (source) => server.model(source),
    lend: (chunks) => server.lend(chunks),
    take: (sink) => server.take(sink),
    async run(name, args, { signal, onEvent = () => {} }) {
      throwIfAborted(signal, 'the work');
      events.listener = onEvent;
      let grace: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        page.evaluate(() => window.tilewright.abort()).catch(() => {}); // a page that is gone is stopped
        grace = setTimeout(() => browser.close(), GRACE_MS).unref();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const work = page.evaluate((name, args) => window.tilewright.run(name, args), name, args);
        const answer = await Promise.race([work, crash]);
        if ('error' in answer) throw fromWire({ ...answer.error, message: server.renamed(answer.error.message) });
        return answer.result as never;
      } catch (error) {
        throwIfAborted(signal, 'the work');
        throw server.failure() ?? (error instanceof TilewrightError || browser.connected ? error : ended(error));
      } finally {
        clearTimeout(grace); // the page stopped by itself: another job may come
        signal.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      await Promise.allSettled([browser.close(), server.close()]);
    },
  };
}

const ended = (cause: unknown): TilewrightError =>
  new TilewrightError('device-lost', 'Chrome ended in the middle of the work', {
    hint: 'It may have run out of memory: a smaller --batch or --dtype int8 needs less.',
    cause,
  });
