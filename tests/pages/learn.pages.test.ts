import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { erf } from '../../src/tensor/erf.ts';
import { LESSONS } from '../../tools/lessons.ts';
import {
  arrives,
  codeBytes,
  expectNoOverflow,
  expectOrder,
  expectStill,
  faults,
  openPage,
  PATIENCE,
  startBrowser,
  tabOrder,
  takePictures,
  textOf,
  untilText,
  upload,
  weightsFile,
} from './support.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
}, PATIENCE);
afterAll(() => browser?.close());

/** What a page may load before models, gzipped, in bytes. */
const MOST_CODE = 150_000;

/** Opens a lesson, waits until its figures are drawn, works on it, and looks at what holds for all of them. */
const lesson = (name: string, does: string, work: (page: Page) => Promise<void>): void =>
  it(`${name} ${does}`, { timeout: 4 * PATIENCE }, async () => {
    const { page, errors } = await openPage(browser, `examples/learn/${name}/`);
    await arrives(page, 'body[data-figures=drawn]');
    await expectStill(page);
    expect(await codeBytes(page)).toBeLessThan(MOST_CODE);
    await work(page);
    expect(await textOf(page.locator('.code code').nth(1))).toMatch(/from 'tilewright'[\s\S]*\n(}|export const .*;)$/);
    expect(await faults(page)).toEqual([]);
    await expectNoOverflow(page);
    await takePictures(page, `learn-${name}`);
    expect(errors).toEqual([]);
    await page.context().close();
  });

/** All of a picture: the pixels of a canvas, or the elements that it is made of. */
const picture = (page: Page, selector: string): Promise<string> =>
  page
    .locator(selector)
    .evaluate((place) => (place instanceof HTMLCanvasElement ? place.toDataURL() : place.innerHTML));

/** Does something, and waits until a picture is another one. */
async function changes(page: Page, selector: string, act: () => Promise<unknown>): Promise<void> {
  const before = await picture(page, selector);
  await act();
  await expect.poll(() => picture(page, selector), { timeout: PATIENCE, interval: 50 }).not.toBe(before);
}

/** Moves a slider. */
const slide = (page: Page, id: string, value: number): Promise<void> => page.locator(`#${id}`).fill(String(value));

/** The numbers in a text. */
const numbers = (text: string): number[] =>
  (text.replaceAll('−', '-').match(/-?\d[\d,]*(\.\d+)?/g) ?? []).map((found) => Number(found.replaceAll(',', '')));

/** Waits until the last number of a text is this one. */
const untilLast = (page: Page, selector: string, wanted: number, digits: number): Promise<void> =>
  expect
    .poll(async () => numbers(await textOf(page.locator(selector))).at(-1), { timeout: PATIENCE, interval: 50 })
    .toBeCloseTo(wanted, digits);

/** How much of its track each bar fills, as the page computed it. */
const bars = (page: Page, selector: string, track = 0): Promise<number[]> =>
  page
    .locator(`${selector} > li`)
    .evaluateAll(
      (items, which) =>
        items.map((item) =>
          Number((item.querySelectorAll('.track span')[which] as HTMLElement).style.getPropertyValue('--share')),
        ),
      track,
    );

describe('lessons', () => {
  lesson('weights', 'are sums, as float64 has them', async (page) => {
    await changes(page, '#plane', async () => {
      for (const [id, value] of Object.entries({ w1: 1.2, w2: -0.7, bias: 0.5, x1: 1.5, x2: -1 }))
        await slide(page, id, value);
    });
    await untilLast(page, '#sum', 1.2 * 1.5 + 0.7 + 0.5, 2);
    // Blue where the sum is above zero, orange where it is below: row 0 is x₂ = 2, column 0 is x₁ = -2.
    for (const [column, row] of [
      [0, 0],
      [40, 0],
      [0, 40],
      [40, 40],
      [20, 20],
    ] as const) {
      const sum = 1.2 * (-2 + column / 10) - 0.7 * (2 - row / 10) + 0.5;
      const blue = await page.locator('#plane').evaluate(
        (canvas, [x, y]) => {
          const [r, , b] = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(x!, y!, 1, 1).data;
          return b! > r!;
        },
        [column, row],
      );
      expect(blue, `${column}, ${row}: ${sum}`).toBe(sum > 0);
    }
    await changes(page, '#neurons canvas:first-child', () => slide(page, 'seed', 7));
    expect(await page.locator('#matrix td').count()).toBe(18);
  });

  lesson('activations', 'bend as float64 has it', async (page) => {
    const [w, b, x] = [-1.5, 0.75, 1.25];
    const z = w * x + b;
    const wanted: Record<string, number> = {
      relu: Math.max(0, z),
      leakyRelu: 0.1 * z,
      sigmoid: 1 / (1 + Math.exp(-z)),
      tanh: Math.tanh(z),
      gelu: (z / 2) * (1 + erf(z / Math.SQRT2)),
      swish: z / (1 + Math.exp(-z)),
      elu: Math.exp(z) - 1,
      softplus: Math.log1p(Math.exp(z)),
      hardSwish: (z * Math.max(0, Math.min(6, z + 3))) / 6,
    };
    for (const [id, value] of Object.entries({ w, bias: b, x })) await slide(page, id, value);
    for (const [name, y] of Object.entries(wanted)) {
      await page.locator('#name').selectOption(name);
      await untilText(page.locator('#formula'), new RegExp(`${name}\\(`));
      await untilLast(page, '#formula', y, 3);
    }
    await changes(page, '#curve', () => slide(page, 'w', 2));
  });

  lesson('softmax', 'adds up to one, at any temperature', async (page) => {
    const scores = [2, 1, 0.5, 0, -1, 3];
    const at = (t: number): number[] => {
      const powers = scores.map((score) => Math.exp(score / t));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    };
    await changes(page, '#plot', () => slide(page, 's5', 3));
    for (const temperature of [1, 0.25, 4]) {
      await slide(page, 'temperature', temperature);
      await expect
        .poll(async () => (await bars(page, '#bars'))[5], { timeout: PATIENCE })
        .toBeCloseTo(at(temperature)[5]!, 4);
      for (const [i, share] of (await bars(page, '#bars')).entries()) expect(share).toBeCloseTo(at(temperature)[i]!, 4);
    }
  });

  lesson('convolution', 'sums nine products, as float64 does', async (page) => {
    const filter = [0.5, -1, 0.25, 2, -3, 1, 0, 0.75, -0.5];
    await changes(page, '#result', async () => {
      for (const [i, weight] of filter.entries()) await page.locator('#filter input').nth(i).fill(String(weight));
    });
    expect(await page.locator('#preset').inputValue()).toBe('own');
    // Whole shades of grey stand for the numbers.
    const grey = await page.locator('#picture').evaluate((canvas) => {
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 32, 32);
      return Array.from({ length: 1024 }, (_, i) => data[4 * i]! / 255);
    });
    const reach = filter.reduce((sum, weight) => sum + Math.abs(weight), 0) / 510;
    const expectSum = async (row: number, column: number, stride: number): Promise<void> => {
      await slide(page, 'row', row);
      await slide(page, 'column', column);
      const text = await untilText(page.locator('#sum'), new RegExp(`Row ${row}, column ${column}:`));
      const wanted = filter.reduce((sum, weight, i) => {
        const [y, x] = [row * stride - 1 + Math.floor(i / 3), column * stride - 1 + (i % 3)];
        return sum + weight * (y < 0 || x < 0 || y > 31 || x > 31 ? 0 : grey[32 * y + x]!);
      }, 0);
      expect(Math.abs(numbers(text).at(-1)! - wanted), text).toBeLessThan(reach + 0.001);
    };
    await expectSum(0, 0, 1);
    await expectSum(12, 20, 1);
    await expectSum(31, 31, 1);
    await changes(page, '#result', () => page.locator('#stride').selectOption('2'));
    expect(await page.locator('#row').getAttribute('max')).toBe('15');
    await expectSum(7, 9, 2);
    // By keys, and by itself.
    await page.locator('#column').focus();
    await page.keyboard.press('ArrowRight');
    await untilText(page.locator('#sum'), /Row 7, column 10:/);
    await changes(page, '#products', () => page.locator('#play').click());
    await page.locator('#play').click();
    await page.locator('#result').click({ position: { x: 3, y: 3 } });
    await untilText(page.locator('#sum'), /Row 0, column 0:/);
  });

  lesson('feature-maps', 'are those of the layer and of the picture', async (page) => {
    await untilText(page.locator('#best'), /cat, 80\.\d %/);
    await untilText(page.locator('#shape'), /bn1: 16 maps of 32 by 32/);
    await changes(page, '#maps', () => slide(page, 'layer', 18));
    await untilText(page.locator('#shape'), /layer3\.2\.bn2: 64 maps of 8 by 8/);
    await changes(page, '#maps', () => page.getByRole('button', { name: /liner/ }).click());
    await untilText(page.locator('#best'), /ship, 9\d\.\d %/);
    await changes(page, '#maps', () =>
      page.locator('input[type=file]').setInputFiles(upload('samples/frog.png', 'image/png')),
    );
    await untilText(page.locator('#best'), /frog/);
  });

  lesson('embeddings', 'find the neighbours that float64 finds', async (page) => {
    await page.getByRole('button', { name: '·queen' }).click();
    const text = await untilText(page.locator('#said'), /“·queen” is token/);
    const token = numbers(text)[0]!;
    const vectors = tensor('transformer.wte.weight', 192);
    const length = (v: Float32Array): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    const own = vectors[token]!;
    const cosines = vectors.map((v) => v.reduce((sum, x, i) => sum + x * own[i]!, 0) / length(v) / length(own));
    const best = cosines.toSorted((a, b) => b - a).slice(1, 11);
    for (const [i, cosine] of (await bars(page, '#near')).entries()) expect(cosine).toBeCloseTo(best[i]!, 4);
    await changes(page, '#vector', () => page.locator('#text').fill('What light'));
    expect(await page.locator('#tokens button').count()).toBeGreaterThan(1);
    await page.locator('#text').fill('');
    await expect.poll(() => page.locator('#tokens button').count()).toBe(0);
  });

  lesson('positions', 'are waves, as float64 has them', async (page) => {
    await changes(page, '#plot', () => slide(page, 'position', 40));
    const alike = (base: number, apart: number): number =>
      Array.from({ length: 96 }, (_, i) => Math.cos(apart * base ** (-i / 96))).reduce((a, b) => a + b) / 96;
    const text = await untilText(page.locator('#said'), /Position 40 beside 41/);
    expect(numbers(text)[3]).toBeCloseTo(alike(10_000, 1), 1.9);
    expect(numbers(text).at(-1)).toBeCloseTo(alike(10_000, 40), 1.9);
    await changes(page, '#table', () => page.getByText('Sinusoids', { exact: true }).click());
    await changes(page, '#table', () => slide(page, 'base', 2));
    await untilLast(page, '#said', alike(100, 40), 1.9);
  });

  lesson('attention', 'adds up to one and sees nothing that comes later', async (page) => {
    const list = page.locator('#tokens button');
    const count = await list.count();
    await list.nth(4).focus();
    await untilText(page.locator('#said'), /^Layer 2, head 0: “·so” takes in/);
    const titles = await list.evaluateAll((all) => all.map((one) => Number.parseFloat((one as HTMLElement).title)));
    expect(titles.reduce((a, b) => a + b)).toBeCloseTo(100, 0);
    expect(titles.slice(5)).toEqual(new Array(count - 5).fill(0));
    await changes(page, '#said', () => page.getByRole('button', { name: /Head 3/ }).click());
    await changes(page, '#heads button:first-child canvas', () => slide(page, 'layer', 4));
    await changes(page, '#heads button:first-child canvas', () => page.locator('#text').fill('To be, or not to be'));
    expectOrder(await tabOrder(page), [
      /^Learn/,
      /^Text/,
      /^To/,
      /^Layer/,
      /^.*Head 0/,
      /^.*Head 5/,
      /^Source code/,
      /Next/,
    ]);
  });

  lesson('next-token', 'follows the temperature, and grows the text', async (page) => {
    const warm = await bars(page, '#bars');
    expect(warm).toEqual(warm.toSorted((a, b) => b - a));
    await changes(page, '#bars', () => slide(page, 'temperature', 0.5));
    // Dividing the scores by a half doubles the logarithms of all ratios.
    const cold = await bars(page, '#bars');
    for (const i of [1, 5, 11]) expect(Math.log(cold[0]! / cold[i]!)).toBeCloseTo(2 * Math.log(warm[0]! / warm[i]!), 2);
    const before = await page.locator('#text').inputValue();
    const likeliest = (await textOf(page.locator('#bars code').first())).replace('·', ' ');
    await page.locator('#take').click();
    expect(await page.locator('#text').inputValue()).toBe(before + likeliest);
    await changes(page, '#bars', () => page.locator('#draw').click());
    await page.locator('#tokens button').first().focus();
    await untilText(page.locator('#surprise'), /^Of the first token.*perplexity/);
    await page.locator('#text').fill('');
    await untilText(page.locator('#said'), /After 1 token,/);
  });

  lesson('kv-cache', 'gives the same tokens as reading all again', async (page) => {
    await untilText(
      page.locator('#said'),
      /^32 tokens, the same both ways\. The last took .* with the cache, .* without\.$/,
    );
    expect(await textOf(page.locator('#taken'))).toMatch(
      /^A token leaves 9\.22 kB; 3\d tokens fill 3\d\d kB of the 2\.36 MB/,
    );
    await slide(page, 'count', 16);
    await changes(page, '#bytes', () => page.locator('#go').click());
    await untilText(page.locator('#said'), /^16 tokens, the same both ways/);
  });

  lesson('int8', 'costs less than int4, and a scale for few weights fits them better', async (page) => {
    const said = page.locator('#said');
    const scores = async (what: RegExp): Promise<number> =>
      Number(/off by ([\d.]+) %/.exec(await untilText(said, what, 2 * PATIENCE))![1]);
    /** The errors of all layers' weights, summed, in percent. */
    const weights = async (): Promise<number> => {
      const texts = await page.locator('#bars .figure-text').allTextContents();
      return texts.reduce((sum, text) => sum + numbers(text)[1]!, 0);
    };
    const int8 = await scores(/^ResNet-20 in int8: 27\d kB instead of 1\.0\d MB/);
    const channels = await weights();
    expect(await bars(page, '#bars')).toHaveLength(22);
    await page.locator('#weights').selectOption('resnet20-cifar10 int8 32');
    await scores(/^ResNet-20 in int8, a scale for every 32/);
    expect(await weights()).toBeLessThan(channels);
    await page.locator('#weights').selectOption('gpt-shakespeare int4 32');
    expect(await scores(/^GPT in int4, .* 1\.8\d MB instead of 11\.\d MB/)).toBeGreaterThan(int8);
    expect(await bars(page, '#bars')).toHaveLength(27);
    expect(await weights()).toBeGreaterThan(4 * channels);
  });

  lesson('flops', 'are those of the shapes', async (page) => {
    // Three stages of 32, 16 and 8 pixels a side, 16, 32 and 64 channels; each begins with a convolution from the one before.
    const macs = (side: number): number => {
      const stage = (n: number): number => side ** 2 / 4 ** n;
      const blocks = [0, 1, 2].map((n) => (n ? 5 : 6) * stage(n) * 9 * (16 * 2 ** n) ** 2);
      const firsts = [1, 2].map((n) => stage(n) * (9 + 1) * 16 * 2 ** n * 8 * 2 ** n);
      return [...blocks, ...firsts, stage(0) * 27 * 16, 640].reduce((a, b) => a + b);
    };
    const counted = async (side: number): Promise<number> =>
      numbers(await untilText(page.locator('#said'), new RegExp(`^${side} × ${side} pixels: .*GFLOPS`)))[2]!;
    expect(await counted(32)).toBeCloseTo(macs(32) / 1e6, 0.9);
    expect(await bars(page, '#bars')).toHaveLength(22);
    await changes(page, '#said', () => slide(page, 'size', 64));
    expect(await counted(64)).toBeCloseTo(macs(64) / 1e6, -0.2);
    await changes(page, '#bars', () => page.locator('#measure').click());
  });

  it('are led to by the list, each by the one before, and say so where there is no WebGPU', {
    timeout: 2 * PATIENCE,
  }, async () => {
    const { page, errors } = await openPage(browser, 'examples/learn/', {
      before: (fresh) =>
        fresh.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })),
    });
    const addresses = await page
      .locator('.lessons a')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    expect(addresses).toEqual(LESSONS.map(({ folder }) => `${inject('site')}examples/learn/${folder}/index.html`));
    expect(await faults(page)).toEqual([]);
    await expectNoOverflow(page);
    await page.locator('.lessons a').first().click();
    for (const [i, { folder, title }] of LESSONS.entries()) {
      await page.waitForURL(`**/examples/learn/${folder}/index.html`);
      await page.locator('#problem [data-code="no-webgpu"]').waitFor();
      expect(await textOf(page.locator('h1'))).toBe(title);
      expect(await textOf(page.locator('.lesson'))).toMatch(new RegExp(`examples/learn/${folder}/compute.ts`));
      expect((await page.locator('.lesson > p').allTextContents()).join(' ').length).toBeGreaterThan(600);
      expect(await page.locator('.figure:visible').count()).toBe(0);
      await expectNoOverflow(page);
      expect(await page.locator('.pager [rel=prev]').count()).toBe(i ? 1 : 0);
      await page.locator('.pager a').last().click();
    }
    await page.waitForURL('**/examples/learn/index.html');
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

/** The rows of a float32 tensor of the GPT that ships. */
function tensor(name: string, width: number): Float32Array[] {
  const file = weightsFile('gpt-shakespeare/model.safetensors');
  const size = Number(file.readBigUInt64LE());
  const {
    data_offsets: [begin, end],
  } = JSON.parse(file.toString('utf8', 8, 8 + size))[name] as { data_offsets: [number, number] };
  const values = new Float32Array(
    file.buffer.slice(file.byteOffset + 8 + size + begin, file.byteOffset + 8 + size + end),
  );
  return Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width));
}
