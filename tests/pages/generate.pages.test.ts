import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectNoOverflow,
  expectOrder,
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
  open = await openPage(browser, 'examples/generate/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const text = () => page.locator('#text');
const written = async (): Promise<string> => (await text().textContent()) ?? '';
const tokens = (): Promise<number> => page.locator('#text .token').count();
const done = () => text().and(page.locator('[aria-busy=false]')).waitFor();
const generate = () => page.getByRole('button', { name: 'Generate' }).click();

async function generateToEnd(settings: Record<string, string>): Promise<string> {
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label, { exact: true }).fill(value);
  await generate();
  await done();
  return written();
}

describe('the generate page', { timeout: PATIENCE }, () => {
  it('loads the model on opening, and text streams in', async () => {
    await expect.poll(tokens, { timeout: PATIENCE, interval: 20 }).toBeGreaterThan(3);
    expect(await text().getAttribute('aria-busy')).toBe('true');
    const early = await tokens();
    await expect.poll(tokens, { timeout: PATIENCE }).toBeGreaterThan(early);
    expect(await written()).toMatch(/^ROMEO:\n[^ ]/);
    expect(await textOf(page.locator('#facts'))).toMatch(/gpt2, 6 layers of 192/);
  });

  it('stops by the button and by Escape, and keeps what was written', async () => {
    await page.getByRole('button', { name: 'Stop' }).click();
    await done();
    const stopped = await written();
    expect(await page.locator('#speed').textContent()).toMatch(
      /^Stopped · \d+ tokens · [\d.,]+ tokens\/s · first after [\d.]+ m?s$/,
    );
    await page.getByLabel('Tokens at most').fill('5000');
    await page.getByLabel('When the context is full').selectOption('slide');
    await generate();
    await expect.poll(tokens, { timeout: PATIENCE }).toBeGreaterThan(5);
    await page.keyboard.press('Escape');
    await done();
    const again = await written();
    expect(again).not.toBe(stopped);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await written()).toBe(again);
    expect(await textOf(page.locator('#problem'))).toBe('');
  });

  it('writes the same with the same seed, another text with another', async () => {
    await page.getByLabel('When the context is full').selectOption('stop');
    const first = await generateToEnd({ Seed: '7', 'Tokens at most': '24' });
    expect(await page.locator('#speed').textContent()).toMatch(/^24 tokens · [\d.,]+ tokens\/s/);
    expect(await generateToEnd({ Seed: '7' })).toBe(first);
    expect(await generateToEnd({ Seed: '8' })).not.toBe(first);
  });

  it('bug 33: says how many tokens fit, where more are asked for', async () => {
    await generateToEnd({ 'Tokens at most': '9999' });
    expect(await page.locator('#speed').textContent()).toMatch(
      /^\d+ tokens · .* · no more than 25\d fit: the context is 256$/,
    );
    await page.getByLabel('When the context is full').selectOption('slide');
    await generateToEnd({ 'Tokens at most': '300' });
    expect(await page.locator('#speed').textContent()).not.toMatch(/fit/);
    await page.getByLabel('When the context is full').selectOption('stop');
    await page.getByLabel('Tokens at most', { exact: true }).fill('24');
  });

  it('starts from a prompt that is picked, and shows the tokens', async () => {
    await page.getByRole('button', { name: 'JULIET:' }).click();
    expect(await page.locator('#prompt').evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Control+Enter');
    await done();
    expect(await written()).toMatch(/^JULIET:\n/);
    await page.getByLabel('Show tokens').check();
    expect(await text().getAttribute('class')).toContain('tiles');
    await page.getByRole('button', { name: 'Copy' }).click();
    await untilText(page.locator('#copy'), /^Copied$/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await written());
  });

  it('refuses what the model cannot do, with code and hint', async () => {
    await page.getByLabel('Prompt', { exact: true }).fill('To be, or not to be. '.repeat(60));
    await generate();
    expect(await problem(page, 'context-exceeded')).toMatch(/more than the context of 256[\s\S]*slide/);
    await page.getByLabel('When the context is full').selectOption('slide');
    await generateToEnd({ 'Tokens at most': '4' });
    expect(await tokens()).toBe(4);
    expect(await textOf(page.locator('#problem'))).toBe('');
    await page.getByLabel('Top-k').evaluate((input: HTMLInputElement) => {
      input.form?.setAttribute('novalidate', '');
      input.value = '0';
    });
    await generate();
    expect(await problem(page, 'invalid-argument')).toMatch(/topK: expected an integer from 1 on, got 0/);
    await page.getByLabel('Top-k').fill('40');
  });

  it('stays with its model where another cannot be had, and loads int8', async () => {
    await page.getByText('Address').click();
    await page.getByLabel(/layout of Hugging Face/).fill('../../weights/resnet20-cifar10/');
    await page.getByRole('button', { name: 'Load' }).click();
    expect(await problem(page, 'unknown-architecture')).toMatch(/image-classification[\s\S]*Classify/);
    await page.getByLabel('Prompt', { exact: true }).fill('KING:\n');
    await generateToEnd({ 'Tokens at most': '4' });
    await page.getByText('Shakespeare', { exact: true }).click();
    await page.getByLabel('Weights in').selectOption('int8');
    await untilText(page.locator('#facts'), /Weights, GPU[23]\.\d+ MB/);
    await generateToEnd({ 'Tokens at most': '4' });
    expect(await tokens()).toBe(4);
  });

  it('is usable by keyboard and at 360 pixels', async () => {
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Generate/,
      /^Prompt/,
      /^Generate$/,
      /^ROMEO:/,
      /^Copy/,
      /^Show tokens/,
      /^Temperature/,
      /^Top-p/,
      /^Top-k/,
      /^Seed/,
      /^Tokens at most/,
      /^When/,
      /^Weights in/,
    ]);
    await expectNoOverflow(page);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));
});
