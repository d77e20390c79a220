import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright';
import { expect, inject } from 'vitest';
import { chooseAdapter, chromeFlags, findChrome } from '../../tools/chrome.mjs';

/** What a load may take on a software adapter, kernels compiled, in ms. */
export const PATIENCE = 60_000;

const WEIGHTS = new URL('../../weights/', import.meta.url);

/** A file of the models and pictures that ship. */
export const weightsFile = (path: string): Buffer => readFileSync(new URL(path, WEIGHTS));

/** A file for an input of the page. */
export const upload = (path: string, mimeType = 'application/octet-stream') => ({
  name: path.split('/').at(-1)!,
  mimeType,
  buffer: weightsFile(path),
});

/** The browser that the machine has, with a camera and a microphone that are played; `frames`: whose frames WebGPU can read. */
export async function startBrowser({ frames = false } = {}): Promise<Browser> {
  const executablePath = await findChrome();
  if (!executablePath) throw new Error('No Chrome: tools/setup.mjs installs one.');
  const adapter = await chooseAdapter(executablePath);
  const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  return chromium.launch({ executablePath, args: [...chromeFlags({ ...adapter, frames }), ...camera] });
}

export interface OpenPage {
  readonly page: Page;
  /** What the page threw or logged as an error so far. */
  readonly errors: string[];
}

/** A model's folder may have these or not: asking for one that is not there is no error of the page. */
const OPTIONAL = /\/(preprocessor_config|tokenizer_config|model\.safetensors\.index)\.json$/;

/** Opens a page of the site, the built one where no other is named, in a context of its own. */
export async function openPage(
  browser: Browser,
  path: string,
  {
    before,
    site = inject('site'),
    ...options
  }: BrowserContextOptions & { before?: (page: Page) => Promise<unknown>; site?: string } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url } = message.location();
    if (!OPTIONAL.test(url)) errors.push(`${message.text()} (${url})`);
  });
  await before?.(page);
  await page.goto(site + path);
  return { page, errors };
}

/** Drops or pastes files as a person would: with a DataTransfer that holds them. */
export async function hand(
  page: Page,
  kind: 'drop' | 'paste',
  files: { name: string; type: string; bytes: Uint8Array }[],
): Promise<void> {
  const list = files.map(({ name, type, bytes }) => ({ name, type, base64: Buffer.from(bytes).toString('base64') }));
  await page.evaluate(
    ([event, given]) => {
      const transfer = new DataTransfer();
      for (const { name, type, base64 } of given) {
        transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
      }
      const options = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        event === 'drop'
          ? new DragEvent('drop', { ...options, dataTransfer: transfer })
          : new ClipboardEvent('paste', { ...options, clipboardData: transfer }),
      );
    },
    [kind, list] as const,
  );
}

/** Of every stream of a camera or a microphone that the page is given from now on, whether it still runs. */
export async function watchStreams(page: Page): Promise<() => Promise<boolean[]>> {
  const given = await page.evaluateHandle(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const streams: MediaStream[] = [];
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      streams.push(stream);
      return stream;
    };
    return streams;
  });
  return () => given.evaluate((streams) => streams.map(({ active }) => active));
}

/** The person allows no camera and no microphone from now on. */
export const refuseStreams = (page: Page): Promise<void> =>
  page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
  });

/** Waits until the element's text fits. */
export async function untilText(locator: Locator, pattern: RegExp, timeout = PATIENCE): Promise<string> {
  await expect.poll(() => locator.textContent(), { timeout, interval: 50 }).toMatch(pattern);
  return (await locator.textContent()) ?? '';
}

/** Waits for an element of the page. Fails at once where the page shows a problem, and says what it is, or else what was under way. */
export async function arrives(page: Page, selector: string, timeout = PATIENCE): Promise<void> {
  const failed = page.locator('#problem [data-code]');
  const first = page.locator(selector).or(failed).first();
  await first.waitFor({ timeout }).catch(async (error) => {
    const said = (await textOf(page.locator('main'))).replace(/\s+/g, ' ');
    throw new Error(`${selector} is not there. The page says: ${said}`, { cause: error });
  });
  if (await failed.isVisible()) throw new Error(`${selector} is not there: ${await textOf(failed)}`);
}

/** Breaks a kernel before the page compiles it: each of its elements goes where that of its neighbour belongs. */
export const misplaces = (label: string) => (fresh: Page) =>
  fresh.addInitScript((wanted) => {
    const create = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (module) {
      const code = module.label === wanted ? module.code.replace(/output\[i\] ?=/, 'output[i ^ 1u]=') : module.code;
      return create.call(this, { ...module, code });
    };
  }, label);

/** All text of the element. */
export const textOf = async (locator: Locator): Promise<string> => (await locator.textContent()) ?? '';

/** The problem that the page shows: waits for this code, and gives the whole text. */
export async function problem(page: Page, code: string): Promise<string> {
  const box = page.locator(`#problem [data-code="${code}"]`);
  await box.waitFor();
  return textOf(box);
}

const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));

/** What axe finds wrong with the page as it is now: the rule, and where. */
export async function faults(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof import('axe-core') }).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
    );
  });
}

/** Bytes of the page's HTML, CSS and JavaScript so far, as they went over the network: gzipped. */
export const codeBytes = (page: Page): Promise<number> =>
  page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(({ entryType, name }) => entryType === 'navigation' || /\.(js|css)$/.test(name))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize, 0),
  );

/** A moment of the page, in ms: for `expectStill`. */
export const momentOf = (page: Page): Promise<number> => page.evaluate(() => performance.now());

/** Nothing of the page moved by itself, but for less than `most` (the layout shift of Web Vitals), since a moment of it. */
export async function expectStill(page: Page, { since = 0, most = 0.001 } = {}): Promise<void> {
  const shifts = await page.evaluate((from) => {
    interface Shift extends PerformanceEntry {
      readonly value: number;
      readonly hadRecentInput: boolean;
      readonly sources: readonly { readonly node?: Element | null; currentRect: DOMRect; previousRect: DOMRect }[];
    }
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: 'layout-shift', buffered: true });
    const entries = observer.takeRecords() as Shift[];
    observer.disconnect();
    return entries
      .filter(({ startTime, hadRecentInput }) => startTime >= from && !hadRecentInput)
      .map(({ value, sources }) => {
        const moved = sources.map(({ node, previousRect: { y }, currentRect }) => {
          const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
          return `${element?.id || element?.className || element?.nodeName} from ${y} to ${currentRect.y}`;
        });
        return { value, moved };
      });
  }, since);
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  expect(sum, JSON.stringify(shifts)).toBeLessThan(most);
}

const PICTURES = fileURLToPath(new URL('../../.cache/pages/', import.meta.url));

/** Writes what the whole page looks like, at 360 and 1440 pixels, light and dark, to `.cache/pages`: for people to look at. */
export async function takePictures(page: Page, name: string): Promise<void> {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${PICTURES}${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}

/** No part of the page lies beside the screen. */
export async function expectNoOverflow(page: Page, width = 360): Promise<void> {
  await page.setViewportSize({ width, height: 740 });
  // A plot follows the width of its card a frame later.
  const beside = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(beside, { timeout: 10_000 }).toBeLessThanOrEqual(0);
}

/**
 * Walks through the page by Tab, from its beginning to its end, and names what has the focus, in order. What has no
 * name, no outline or no place on the screen gets a mark of that, `!`.
 */
export async function tabOrder(page: Page): Promise<string[]> {
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  const names: string[] = [];
  while (names.length < 100) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      document.body.removeAttribute('tabindex');
      const element = document.activeElement as HTMLElement | null;
      if (!element || element === document.body) return undefined;
      const shown = element.closest('.segments label') ?? element;
      const { width, right } = shown.getBoundingClientRect();
      const labels = [...((element as HTMLInputElement).labels ?? [])].map(({ textContent }) => textContent);
      const pictured = element.querySelector('img')?.alt;
      const name =
        element.getAttribute('aria-label') ?? pictured ?? (labels.join('') || element.textContent || '').trim();
      const faults = [
        !name && '! no name',
        getComputedStyle(shown).outlineStyle === 'none' && '! no outline',
        (width === 0 || right > innerWidth + 1) && '! out of sight',
      ];
      return [...faults, name || element.outerHTML].filter(Boolean).join(' ');
    });
    if (name === undefined || (names.length > 0 && name === names[0])) return names;
    names.push(name);
  }
  return names;
}

/** Everything that Tab reaches is in order, and these come one after the other. */
export function expectOrder(names: readonly string[], stops: readonly RegExp[]): void {
  expect(names.filter((name) => name.startsWith('!'))).toEqual([]);
  let at = -1;
  for (const stop of stops) {
    const next = names.findIndex((name, i) => i > at && stop.test(name));
    expect(next, `${stop} after "${names[at]}" in\n${names.join('\n')}`).toBeGreaterThan(at);
    at = next;
  }
}
