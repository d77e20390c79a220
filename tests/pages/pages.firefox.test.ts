import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LESSONS } from '../../tools/lessons.ts';
import { noise, wav } from '../support/wav.ts';
import { open, PATIENCE, startFirefox, untilText } from './firefox.ts';

const GGUF = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
let browser: Browser;

beforeAll(async () => {
  browser = await startFirefox();
}, PATIENCE);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await browser?.close();
});

/** A page, and that it logs no error from its opening to its end. */
const visit = (path: string, title: string, work: (page: Page) => Promise<void>): void =>
  it(`/${path} ${title}`, async () => {
    const { page, errors } = await open(browser, path);
    await work(page);
    expect(errors).toEqual([]);
    await page.close();
  });

/** Waits until the button can be pressed, and presses it. */
async function press(page: Page, selector: string): Promise<void> {
  await page.waitForSelector(`${selector}:enabled`);
  await page.$eval(selector, (button) => (button as HTMLElement).click());
}

const count = (page: Page, selector: string): Promise<number> => page.$$eval(selector, (all) => all.length);

describe('Firefox', { timeout: 2 * PATIENCE }, () => {
  visit('', 'describes the adapter', async (page) => {
    await untilText(page, '#card', /Kind(Software|Hardware)[\s\S]*All limits/);
    if (await page.evaluate(async () => !(await navigator.gpu.requestAdapter())?.info.vendor)) {
      expect(await untilText(page, '#card', /Adapter/)).toMatch(/Adapternot told/);
      await untilText(page, '#adapter', /^adapter not told/);
    }
  });

  visit('examples/classify/', 'names a sample, another, and what a camera sees', async (page) => {
    const best = '#bars li:first-child .label';
    await untilText(page, best, /^airplane$/);
    await page.$$eval('#samples button', (all) => all.find((one) => /liner/.test(one.outerHTML))?.click());
    await untilText(page, best, /^ship$/);
    await press(page, '#camera-toggle');
    await untilText(page, '#time', /, read by the (GPU|host)$/);
    await press(page, '#snapshot');
    await page.waitForSelector('#camera', { hidden: true });
  });

  visit('examples/generate/', 'writes', async (page) => {
    await page.waitForSelector('#text .token:nth-child(6)');
    await press(page, '#stop');
    await page.waitForSelector('#text[aria-busy=false]');
    await untilText(page, '#text', /^ROMEO:\n[^ ]/);
    await untilText(page, '#speed', /tokens\/s/);
  });

  visit('examples/chat/', 'replies', async (page) => {
    await ((await page.$('#model-files')) as ElementHandle<HTMLInputElement>).uploadFile(GGUF);
    await page.waitForSelector('#go:enabled');
    await page.type('#message', 'Hello');
    await page.keyboard.press('Enter');
    await untilText(page, '.turn.assistant .said', /\S/);
    await untilText(page, '#speed', /tokens|context/);
  });

  visit('examples/text/', 'reads three lines', async (page) => {
    await page.waitForSelector('#samples button');
    await page.$$eval('#samples button', (all) => all.find((one) => /upside down/.test(one.outerHTML))?.click());
    await untilText(page, '#status', /^3 lines$/);
    const lines = await page.$$eval('#lines .said', (all) => all.map(({ textContent }) => textContent));
    expect(lines).toEqual(['Back soon', 'Gone to the bakery', 'Ring twice after 10:30']);
  });

  visit('examples/listen/', 'hears no speech in noise', async (page) => {
    await untilText(page, '#facts', /512 samples at 16 kHz/);
    const file = join(folder, 'noise.wav');
    writeFileSync(file, wav(noise, 16_000));
    await ((await page.$('#file')) as ElementHandle<HTMLInputElement>).uploadFile(file);
    await untilText(page, '#totals', /noise\.wavHeard0\.51 s of 0\.51 s/);
    await untilText(page, '#status', /^No speech in 0\.51 s$/);
  });

  visit('examples/open/', 'runs a model', async (page) => {
    await page.$$eval('button', (all) => all.find(({ textContent }) => /^ResNet-20/.test(textContent))!.click());
    await page.waitForSelector('#doing:not([hidden])');
    await press(page, '#run');
    await untilText(page, '#outputs', /logitsfloat\[1, 10\]/);
    await untilText(page, '#status', /^Done in/);
  });

  visit('examples/verify/', 'finds every kernel of a network right', async (page) => {
    await press(page, '#go');
    await untilText(page, '#outcome', /What runs here is right[\s\S]*\d+ kernels on \d+ shapes in/);
    expect(await count(page, '#table tbody tr')).toBeGreaterThan(20);
    expect(await count(page, '#table .wrong')).toBe(0);
  });

  for (const { folder } of LESSONS)
    visit(`examples/learn/${folder}/`, 'draws its figures', async (page) => {
      await page.waitForSelector('body[data-figures=drawn]');
    });

  visit('bench/?preset=tiny', 'measures', async (page) => {
    await page.$$eval('[name=suite]', (all) => {
      for (const box of all as HTMLInputElement[]) box.checked = ['matmul', 'resnet', 'load'].includes(box.value);
    });
    await press(page, '#go');
    await page.waitForSelector('#download:enabled');
    await untilText(page, '#ceilings', /[\d.,]+ GFLOPS of multiply-adds .*GB\/s read/);
    expect(await untilText(page, '#table', /images\/s/)).toMatch(/matmul[\s\S]*resnet20[\s\S]*load/);
    expect(await page.$eval('#problem', ({ textContent }) => textContent)).toBe('');
  });
});
