import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasShared, readShared } from '../support/shared.ts';
import {
  expectNoOverflow,
  expectOrder,
  hand,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  refuseStreams,
  startBrowser,
  tabOrder,
  textOf,
  untilText,
  watchStreams,
  weightsFile,
} from './support.ts';

/** The networks are convolutions over whole pictures: a software adapter takes its time for a picture. */
const READING = 3 * PATIENCE;

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/text/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const sample = (title: RegExp) => page.locator('#samples').getByRole('button', { name: title });
const read = (): Promise<string[]> => page.locator('#lines .said').allTextContents();
const status = (pattern: RegExp): Promise<string> => untilText(page.locator('#status'), pattern, READING);
const idle = () => page.locator('#lines[aria-busy=false]').waitFor({ timeout: READING });

describe('the text page', { timeout: READING }, () => {
  it('begins with the first sample; another picture takes its place at once', async () => {
    await status(/^(Looking for text|Reading \d lines)$/);
    expect(await sample(/ticket/).getAttribute('aria-pressed')).toBe('true');
    await sample(/upside down/).click();
    await status(/^3 lines$/);
    expect(await read()).toEqual(['Back soon', 'Gone to the bakery', 'Ring twice after 10:30']);
    expect(await page.locator('#boxes polygon').count()).toBe(3);
    expect(await textOf(page.locator('#times'))).toMatch(/640 × 480.*Finding lines.* m?s.*Reading, 3 lines.* m?s/);
    expect(await textOf(page.locator('#facts'))).toMatch(/Characters6,624.*Weights, files16\.\d MB/);
  });

  it.skipIf(!hasShared)('reads three lines of text exactly, with where they are, and copies them', async () => {
    const png = Buffer.from(await readShared('onnx-files/text.png'));
    await hand(page, 'drop', [{ name: 'text.png', type: 'image/png', bytes: png }]);
    await expect.poll(() => page.locator('#preview').getAttribute('aria-label')).toBe('text.png');
    await status(/^3 lines$/);
    const lines = ['WebGPU reads text', 'Three lines, two sizes', 'Order 20491 total 73.50'];
    expect(await read()).toEqual(lines);
    for (const score of await page.locator('#lines .score').allTextContents())
      expect(Number.parseFloat(score)).toBeGreaterThan(90);
    // Rows of the picture that the lines are in.
    const rows = await page.locator('#boxes polygon').evaluateAll((polygons) =>
      polygons.map((polygon) => {
        const ys = [...(polygon as SVGPolygonElement).points].map(({ y }) => y);
        return [Math.min(...ys), Math.max(...ys)];
      }),
    );
    for (const [i, [top, bottom]] of (
      [
        [27, 57],
        [97, 122],
        [157, 180],
      ] as const
    ).entries()) {
      expect(rows[i]![0]).toBeLessThanOrEqual(top);
      expect(rows[i]![1]).toBeGreaterThanOrEqual(bottom);
      expect(rows[i]![1]! - rows[i]![0]!).toBeLessThan(2.2 * (bottom - top));
    }
    await page.getByRole('button', { name: 'Copy' }).click();
    await untilText(page.locator('#copy'), /^Copied$/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(lines.join('\n'));
  });

  it('stops by Escape and by the button, without an error', async () => {
    await sample(/ticket/).click();
    await status(/^Looking for text$/);
    await page.keyboard.press('Escape');
    await status(/^Stopped$/);
    await idle();
    await sample(/ticket/).click();
    await status(/^(Looking for text|Reading \d lines)$/);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await status(/^Stopped$/);
    expect(await textOf(page.locator('#problem'))).toBe('');
    expect(await textOf(page.locator('#progress'))).toBe('');
  });

  it('says where there is no text, and what is no picture', async () => {
    const blank = await page.evaluate(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
      return canvas.toDataURL('image/png').split(',')[1]!;
    });
    await page
      .locator('#file')
      .setInputFiles({ name: 'blank.png', mimeType: 'image/png', buffer: Buffer.from(blank, 'base64') });
    await status(/^No text found$/);
    expect(await read()).toEqual([]);
    expect(await page.locator('#boxes polygon').count()).toBe(0);
    expect(await page.locator('#copy').isDisabled()).toBe(true);
    const cut = weightsFile('samples/text/door.png').subarray(0, 60);
    await page.locator('#file').setInputFiles({ name: 'cut.png', mimeType: 'image/png', buffer: cut });
    expect(await problem(page, 'invalid-image')).toMatch(/cannot be decoded/);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('reads what a camera sees, and lets go of it', async () => {
    const toggle = page.locator('#camera-toggle');
    const live = await watchStreams(page);
    await toggle.click();
    await page.locator('#preview[aria-label="A frame of the camera"]').waitFor({ state: 'attached' });
    // A frame that is being read makes way for the snapshot, and none comes after it.
    await page.locator('#snapshot').click();
    await page.locator('#preview[aria-label="A snapshot of the camera"]').waitFor();
    await status(/^(No text found|\d+ lines?)$/);
    expect(await page.locator('#preview').getAttribute('aria-label')).toBe('A snapshot of the camera');
    // Asked twice, and stopped before there is a camera.
    await page.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>('#camera-toggle')!;
      button.click();
      button.click();
    });
    await page.keyboard.press('Escape');
    await sample(/upside down/).click();
    await expect.poll(live).toEqual([false, false, false]);
    expect(await page.locator('#camera').isVisible()).toBe(false);
    await refuseStreams(page);
    await toggle.click();
    expect(await problem(page, 'not-found')).toMatch(/camera cannot be used: Permission denied[\s\S]*Allow the camera/);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('is usable by keyboard and at 360 pixels', async () => {
    await page.keyboard.press('Escape');
    await idle();
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Tilewright/,
      /^Read/,
      /^Open a picture/,
      /^Camera/,
      /ticket/,
      /upside down/,
      /^PaddleOCR/,
    ]);
    await expectNoOverflow(page);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));
});
