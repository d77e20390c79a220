import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectNoOverflow,
  expectOrder,
  hand,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  startBrowser,
  tabOrder,
  textOf,
  untilText,
  upload,
  weightsFile,
} from './support.ts';

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/classify/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const best = (label: string): Promise<string> =>
  untilText(page.locator('#bars li').first().locator('.label'), new RegExp(`^${label}$`));
const sample = (title: RegExp) => page.locator('#samples').getByRole('button', { name: title });
const facts = () => textOf(page.locator('#facts'));

const picture = (name: string) => ({
  name: `${name}.png`,
  type: 'image/png',
  bytes: weightsFile(`samples/${name}.png`),
});

describe('the classify page', { timeout: PATIENCE }, () => {
  it('loads the model on opening and names the first sample', async () => {
    await best('airplane');
    const rows = await page.locator('#bars li').allInnerTexts();
    expect(rows).toHaveLength(5);
    const shares = rows.map((row) => Number(/([\d.]+) %/.exec(row)?.[1]));
    expect(shares[0]).toBeGreaterThan(50);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(await page.locator('#time').textContent()).toMatch(/^[\d.]+ m?s an image$/);
    expect(await page.locator('#spoken').textContent()).toMatch(/^airplane, [\d.]+ %$/);
    expect(await page.locator('#adapter').textContent()).not.toBe('');
    expect(await facts()).toMatch(/resnet20, 10 classes/);
  });

  it('names another sample that is clicked', async () => {
    await sample(/liner/).click();
    await best('ship');
    expect(await sample(/liner/).getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('#samples [aria-pressed=true]').count()).toBe(1);
  });

  it('takes a picture from the file picker, by drop and by paste', async () => {
    await page.locator('#file').setInputFiles(upload('samples/cat.png', 'image/png'));
    await best('cat');
    await hand(page, 'drop', [picture('frog')]);
    await best('frog');
    await hand(page, 'paste', [picture('truck')]);
    await best('truck');
    expect(await page.locator('#samples [aria-pressed=true]').count()).toBe(0);
  });

  it('says that a broken picture is broken, keeps the last, and goes on with the next', async () => {
    await page.locator('#file').setInputFiles({
      name: 'broken.png',
      mimeType: 'image/png',
      buffer: weightsFile('samples/dog.png').subarray(0, 60),
    });
    expect(await problem(page, 'invalid-image')).toMatch(/cannot be decoded[\s\S]*Browsers decode PNG/);
    await best('truck');
    await sample(/spaniel/).click();
    await best('dog');
    expect(await textOf(page.locator('#problem'))).toBe('');
  });

  it('keeps its model where another cannot be had', async () => {
    await page.getByText('Address').click();
    await page.getByLabel(/layout of Hugging Face/).fill(`${page.url()}nothing-here/`);
    await page.getByRole('button', { name: 'Load' }).click();
    expect(await problem(page, 'not-found')).toMatch(/nothing-here\/.*model\.safetensors/);
    const whole = upload('resnet20-cifar10/model.safetensors');
    await page.getByText('Own files').click();
    await page.locator('#model-files').setInputFiles({ ...whole, buffer: whole.buffer.subarray(0, 100_000) });
    await problem(page, 'invalid-file');
    await page
      .locator('#model-files')
      .setInputFiles(['config.json', 'model.safetensors'].map((file) => upload(`gpt-shakespeare/${file}`)));
    expect(await problem(page, 'unknown-architecture')).toMatch(/text-generation[\s\S]*Generate/);
    await sample(/horse/).click();
    await best('horse');
  });

  it('loads own files, and int8', async () => {
    await page
      .locator('#model-files')
      .setInputFiles(['config.json', 'model.safetensors'].map((file) => upload(`resnet20-cifar10/${file}`)));
    await expect.poll(() => page.locator('#progress').innerHTML(), { timeout: PATIENCE }).toBe('');
    await sample(/tabby/).click();
    await best('cat');
    const before = await facts();
    await page.getByLabel('Weights in').selectOption('int8');
    await expect.poll(facts, { timeout: PATIENCE }).not.toBe(before);
    expect(await facts()).toMatch(/Weights, GPU[23]\d\d kB/);
    await best('cat');
  });

  it('cancels a load and starts it again', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/resnet20-cifar10/model.safetensors', async (route) => {
      await held;
      await route.abort().catch(() => {}); // the page has given it up
    });
    await page.getByText('ResNet-20').click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await problem(page, 'aborted');
    expect(await page.locator('#progress').innerHTML()).toBe('');
    release();
    await page.unrouteAll({ behavior: 'wait' });
    await page.getByRole('button', { name: 'Start again' }).click();
    await expect.poll(() => textOf(page.locator('#problem')), { timeout: PATIENCE }).toBe('');
    await expect.poll(() => page.locator('#progress').innerHTML(), { timeout: PATIENCE }).toBe('');
    await best('cat');
  });

  it('classifies what a camera sees, and stops', async () => {
    const toggle = page.locator('#camera-toggle');
    const still = await textOf(page.locator('#bars'));
    await toggle.click();
    await page.locator('#camera').waitFor();
    await untilText(page.locator('#time'), / an image, read by the (GPU|host)$/);
    expect(await textOf(page.locator('#bars'))).not.toBe(still);
    expect(await toggle.getAttribute('aria-pressed')).toBe('true');
    await page.locator('#snapshot').click();
    await page.locator('#preview').waitFor();
    expect(await page.locator('#camera').isVisible()).toBe(false);
    expect(await page.evaluate(() => document.querySelector('video')?.srcObject)).toBeNull();
  });

  it('is usable by keyboard and at 360 pixels', async () => {
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Tilewright/,
      /^Classify/,
      /^Generate/,
      /^Bench/,
      /^Open a picture/,
      /^Camera/,
      /jet/,
      /frog/,
      /^ResNet-20/,
      /^Weights in/,
    ]);
    await sample(/liner/).focus();
    await page.keyboard.press('Enter');
    await best('ship');
    await expectNoOverflow(page);
  });

  it('has the GPU read the frames of a camera where it can', async () => {
    const able = await startBrowser({ frames: true });
    try {
      const opened = await openPage(able, 'examples/classify/');
      await untilText(opened.page.locator('#bars li').first().locator('.label'), /^airplane$/);
      await opened.page.locator('#camera-toggle').click();
      await untilText(opened.page.locator('#time'), / an image, read by the GPU$/);
      expect(await opened.page.locator('#seen').isVisible()).toBe(false);
      await opened.page.locator('#camera-toggle').click();
      await opened.page.locator('#preview[aria-label="A frame of the camera"]').waitFor();
      await untilText(opened.page.locator('#time'), / an image$/);
      expect(opened.errors).toEqual([]);
    } finally {
      await able.close();
    }
  });

  it('logged no error', () => expect(open.errors.filter((error) => !error.includes('/nothing-here/'))).toEqual([]));
});
