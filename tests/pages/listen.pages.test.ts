import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STEP } from '../../examples/listen/detector.ts';
import { parseTensors } from '../support/files.ts';
import { hasShared, readShared } from '../support/shared.ts';
import { noise, wav } from '../support/wav.ts';
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
} from './support.ts';

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/listen/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const give = (name: string, bytes: Buffer): Promise<void> =>
  page.locator('#file').setInputFiles({ name, mimeType: 'audio/wav', buffer: bytes });
const heard = (pattern: RegExp): Promise<string> => untilText(page.locator('#totals'), pattern);
const idle = () => page.locator('#track[aria-busy=false]').waitFor();

/** The probabilities that the page has, as it copies them. */
async function copied(): Promise<number[]> {
  await idle();
  await page.getByRole('button', { name: 'Copy as CSV' }).click();
  await untilText(page.locator('#copy'), /^Copied$/);
  const [title, ...rows] = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  expect(title).toBe('seconds,probability');
  return rows.map((row) => Number(row.split(',')[1]));
}

describe('the listen page', { timeout: PATIENCE }, () => {
  it('loads the model on opening, and hears no speech in noise', async () => {
    await untilText(page.locator('#facts'), /512 samples at 16 kHz/);
    await give('noise.wav', wav(noise, 16_000));
    await heard(/noise\.wavHeard0\.51 s of 0\.51 s/);
    await untilText(page.locator('#status'), /^No speech in 0\.51 s$/);
    await untilText(page.locator('#spoken'), /^No speech in 0\.51 s$/);
    expect(await page.locator('#segments li').count()).toBe(0);
    expect(await copied()).toHaveLength(16);
  });

  it.skipIf(!hasShared)('marks speech where the reference has it', async () => {
    const { audio } = Object.fromEntries(
      await parseTensors(await readShared('onnx-files/references/speech_3s.safetensors')),
    );
    const reference = await parseTensors(await readShared('onnx-files/references/silero_vad_v5.safetensors'));
    const want = [...reference.get('steps.out.output')!.data];
    expect(want.length).toBe(Math.floor(audio!.data.length / STEP));
    // The whole of its steps alone: nothing is filled up.
    const samples = audio!.data.subarray(0, want.length * STEP);
    await hand(page, 'drop', [{ name: 'speech.wav', type: 'audio/wav', bytes: wav(samples, 16_000) }]);
    await heard(/speech\.wavHeard2\.98 s of 2\.98 s/);
    const got = await copied();
    expect(got).toHaveLength(want.length);
    expect(Math.max(...got.map((value, i) => Math.abs(value - want[i]!)))).toBeLessThan(1e-3);
    const begins = want.findIndex((value) => value >= 0.5);
    expect(begins).toBeGreaterThan(0);
    expect(Math.min(...want.slice(begins))).toBeGreaterThan(0.35); // to the end
    const seconds = (steps: number): string => ((steps * STEP) / 16_000).toFixed(2);
    expect(await page.locator('#segments li > :first-child').allTextContents()).toEqual([
      `${seconds(begins)} – ${seconds(want.length)} s`,
    ]);
    expect(await page.locator('#track').getAttribute('aria-label')).toBe(
      `speech.wav: Speech in ${seconds(want.length - begins)} s of ${seconds(want.length)} s, 1 part`,
    );
    // The band is where speech is: the ground of the canvas elsewhere.
    const ground = await page.evaluate((from) => {
      const canvas = document.querySelector<HTMLCanvasElement>('#track')!;
      const context = canvas.getContext('2d')!;
      const at = (share: number): number => context.getImageData(Math.round(share * canvas.width), 2, 1, 1).data[3]!;
      return [at(from - 0.02), at(from + 0.02), at(0.99)];
    }, begins / want.length);
    expect(ground.map((alpha) => alpha > 0)).toEqual([false, true, true]);
  });

  it('resamples what has another rate', async () => {
    const tone = Float32Array.from({ length: 48_000 }, (_, i) => 0.1 * Math.sin(i / 20));
    await give('tone.wav', wav(tone, 48_000));
    await heard(/tone\.wavHeard1\.02 s of 1\.02 s/); // 32 steps, not 94
  });

  it('hears the last of several, from its beginning', async () => {
    const long = Float32Array.from({ length: 60 * 16_000 }, (_, i) => 0.01 * Math.sin(i * i));
    await give('long.wav', wav(long, 16_000));
    await heard(/long\.wavHeard\d/);
    await give('noise.wav', wav(noise, 16_000));
    await heard(/noise\.wavHeard0\.51 s of 0\.51 s/);
    const again = await copied();
    await give('noise.wav', wav(noise, 16_000));
    await expect.poll(() => page.locator('#copy').isEnabled(), { timeout: PATIENCE }).toBe(true);
    expect(await copied()).toEqual(again);
  });

  it('stops by Escape, and says what is no sound', async () => {
    const long = new Float32Array(60 * 16_000);
    await give('long.wav', wav(long, 16_000));
    await heard(/long\.wavHeard\d/);
    await page.keyboard.press('Escape');
    await idle();
    const stopped = await textOf(page.locator('#totals'));
    expect(stopped).not.toMatch(/Heard60/);
    await give('cut.wav', wav(noise, 16_000).subarray(0, 20));
    expect(await problem(page, 'invalid-file')).toMatch(/cannot be decoded[\s\S]*WAV/);
    expect(await textOf(page.locator('#totals'))).toBe(stopped);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('listens to a microphone, and lets go of it', async () => {
    const button = page.locator('#microphone');
    const live = await watchStreams(page);
    await button.click();
    await heard(/MicrophoneHeard[1-9]\.\d+ s/);
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    await button.click();
    await idle();
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    // Asked twice in a row, and a recording before either is there.
    await page.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>('#microphone')!;
      button.click();
      button.click();
    });
    await give('noise.wav', wav(noise, 16_000));
    await heard(/noise\.wavHeard0\.51 s of 0\.51 s/);
    await expect.poll(live).toEqual([false, false, false]);
    await refuseStreams(page);
    await button.click();
    expect(await problem(page, 'not-found')).toMatch(/microphone cannot be used: Permission denied/);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('hears a microphone at its own rate where the browser connects no other', async () => {
    const { page, errors } = await openPage(browser, 'examples/listen/', {
      before: (fresh) =>
        fresh.addInitScript(() => {
          const connect = AudioContext.prototype.createMediaStreamSource;
          AudioContext.prototype.createMediaStreamSource = function (stream) {
            if (this.sampleRate === 16_000) throw new DOMException('another sample rate', 'NotSupportedError');
            return connect.call(this, stream);
          };
        }),
    });
    await untilText(page.locator('#facts'), /16 kHz/);
    const start = Date.now();
    await page.locator('#microphone').click();
    await untilText(page.locator('#totals'), /MicrophoneHeard[2-9]\.\d+ s/);
    const [, heard] = /Heard([\d.]+) s/.exec(await textOf(page.locator('#totals')))!;
    expect(Number(heard)).toBeLessThanOrEqual((Date.now() - start) / 1000); // not three times as much
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('is usable by keyboard and at 360 pixels', async () => {
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Tilewright/,
      /^Listen/,
      /^Open a recording/,
      /^Microphone/,
      /^Copy as CSV/,
      /^Silero VAD/,
    ]);
    await expectNoOverflow(page);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));
});
