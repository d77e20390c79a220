import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npyData, readNpy, writeNpy } from '../../src/formats/npy.ts';
import { encodeModel, floats, type ModelToEncode, node } from '../support/onnx.ts';
import {
  expectNoOverflow,
  expectOrder,
  hand,
  misplaces,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  startBrowser,
  tabOrder,
  textOf,
  untilText,
  weightsFile,
} from './support.ts';

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/open/');
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const file = (name: string, bytes: Uint8Array, type = '') => ({ name, bytes, type });
const named = (name: string, one: ReturnType<typeof node>) => ({ ...one, name });

/** y: of x [n, 3] times 2, halved in a layer, plus itself; nine nodes, so that they stand in groups. */
const small: ModelToEncode = {
  inputs: [['x', 'float', ['n', 3]]],
  outputs: [['y', 'float', ['n', 3]]],
  initializers: [floats('two', [1], [2]), floats('half', [1, 3], [0.5, 0.25, 0.125])],
  nodes: [
    named('first/scale', node('Mul', ['x', 'two'], ['a'])),
    named('first/relu', node('Relu', ['a'], ['b'])),
    ...['c', 'd', 'e', 'f', 'g', 'h'].map((name, i) =>
      named(`second/step${i}`, node('Mul', [i ? 'bcdefgh'[i]! : 'b', 'half'], [name])),
    ),
    named('last', node('Add', ['h', 'b'], ['y'])),
  ],
};

/** What y is for one row of x. */
const expected = [1, 2, 3].map((x, i) => 2 * x * (1 + [0.5, 0.25, 0.125][i]! ** 6));

/** Opens the model, and waits until it can be run. */
async function drop(on: Page, model: ModelToEncode, name = 'small.onnx'): Promise<void> {
  await hand(on, 'drop', [file(name, encodeModel(model))]);
  await on.locator('#doing:not([hidden])').waitFor();
}

const press = (on: Page, name: string) => on.getByRole('button', { name, exact: true }).click();

async function saved(on: Page, button: RegExp): Promise<Uint8Array> {
  const [download] = await Promise.all([on.waitForEvent('download'), on.getByRole('button', { name: button }).click()]);
  return readFileSync(await download.path());
}

describe('the page that opens a file', { timeout: 2 * PATIENCE }, () => {
  it('says what the file is, and lists its nodes by their names', async () => {
    await drop(page, small);
    const about = await textOf(page.locator('#about'));
    expect(about).toMatch(/Operator setsai\.onnx 20, com\.microsoft 1Parameters4Tensors2, 16 B/);
    expect(about).toMatch(/InputsTypeDimensionsxfloat\[n, 3\]/);
    expect(about).toMatch(/Mul 7Relu 1Add 1/);
    expect(await textOf(page.locator('#graph-count'))).toBe('9 nodes');
    const group = page.locator('#graph summary', { hasText: 'second' });
    expect(await textOf(group)).toBe('second6 nodes: Mul');
    await group.click();
    expect(await textOf(page.locator('#graph .node', { hasText: 'second/step3' }))).toBe('Mulsecond/step3');
    await page.locator('#find').fill('relu');
    expect(await textOf(page.locator('#graph-count'))).toBe('1 of 9 nodes');
    await page.locator('#find').fill('');
    for (const name of ['Profile', 'Verify'])
      expect(await page.getByRole('button', { name, exact: true }).isDisabled()).toBe(true);
  });

  it('runs on made-up numbers for the sizes that are asked for, and then knows all shapes', async () => {
    await page.getByLabel('n', { exact: true }).fill('4');
    await press(page, 'Run');
    expect(await untilText(page.locator('#outputs'), /yfloat\[4, 3\]/)).toMatch(/NaN.*y/);
    await untilText(page.locator('#status'), /^Done in/);
    expect(await textOf(page.locator('#graph .node', { hasText: 'last' }))).toBe('Addlast[4,3] [4,3] → [4,3]');
  });

  it('runs on a file, and gives what comes out as one', async () => {
    const bytes = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    await hand(page, 'drop', [file('x.npy', writeNpy({ type: 'f4', dims: [1, 3], bytes }))]);
    await untilText(page.locator('#inputs .source'), /^x\.npy$/);
    await press(page, 'Run');
    await untilText(page.locator('#outputs'), /yfloat\[1, 3\]/);
    const { type, dims, bytes: numbers } = readNpy('y', await saved(page, /^Save y as/));
    expect([type, dims]).toEqual(['f4', [1, 3]]);
    Array.from(npyData('f4', numbers), Number).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5);
    });
    await hand(page, 'drop', [file('x.json', new TextEncoder().encode('[[1, 2]]'))]);
    await untilText(page.locator('#inputs .source'), /^x\.json$/);
    await press(page, 'Run');
    expect(await problem(page, 'wrong-shape')).toContain('input x: expected [n,3], got [1,2]');
    await press(page, 'Random');
  });

  it('says what each node costs, the longest first', async () => {
    await press(page, 'Profile');
    await untilText(page.locator('#costs'), /a run/);
    if (await page.locator('#costs table').count()) {
      const times = await page.locator('#costs .timed').allTextContents();
      expect(times.length).toBeGreaterThan(3);
      expect(times.map(Number)).toEqual(times.map(Number).sort((a, b) => b - a));
      expect(await textOf(page.locator('#costs tbody'))).toMatch(/second\/step|last/);
    } else expect(await textOf(page.locator('#costs'))).toContain('timestamp-query');
  });

  it('checks what runs', async () => {
    await press(page, 'Verify');
    await untilText(page.locator('#checked'), /^What runs here is right\d+ kernels on \d+ shapes/);
  });

  it('is usable by keyboard, and fits 360 pixels', async () => {
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Open/,
      /^Choose files/,
      /^Choose a folder/,
      /^ResNet-20/,
      /^Weights in/,
      /^n$/,
      /^Choose a file for x/,
      /^Run/,
      /^Profile/,
      /^Verify/,
      /^Inputs/,
      /^Only nodes/,
      /^Nodes in order/,
      /^Table of outputs/,
    ]);
    await expectNoOverflow(page);
    await expectNoOverflow(page, 320);
  });

  it('names every op that it does not compute, and where, and shows the file all the same', async () => {
    const strange: ModelToEncode = {
      inputs: [['x', 'float', [4]]],
      outputs: [['y', 'float', [4]]],
      nodes: [
        named('one', node('Curl', ['x'], ['a'])),
        named('two', node('Curl', ['a'], ['b'])),
        node('Twist@com.example', ['b'], ['y']),
      ],
    };
    await hand(page, 'drop', [file('strange.onnx', encodeModel(strange))]);
    expect(await problem(page, 'unsupported-op')).toMatch(/Curl \(2 times, first one\), com\.example\.Twist \(y\)/);
    expect(await textOf(page.locator('#unsupported'))).toMatch(/Curl at one, twocom\.example\.Twist at y$/);
    expect(await page.locator('#graph .op.wrong').count()).toBe(3);
    expect(await page.locator('#doing').isVisible()).toBe(false);
  });

  it.each<[string, Uint8Array, string, RegExp]>([
    [
      'a file that was cut off',
      encodeModel(small).subarray(0, 90),
      'cut.onnx',
      /cut\.onnx: byte \d+: .*bytes are promised/,
    ],
    ['a page', new TextEncoder().encode('<!doctype html><p>404'), 'model.onnx', /expected ONNX, got an HTML page/],
    ["onnxruntime's own format", new TextEncoder().encode('\0\0\0\0ORTM and more'), 'model.ort', /\.ort/],
  ])('says what is wrong with %s', async (_, bytes, name, message) => {
    await hand(page, 'drop', [file(name, bytes)]);
    await untilText(page.locator('#problem [data-code="invalid-file"]'), message);
  });

  it('takes the model that ships, and a picture', async () => {
    await press(page, 'ResNet-20');
    await page.locator('#doing:not([hidden])').waitFor();
    expect(await textOf(page.locator('#about'))).toMatch(/Networkresnet20.*One run40\.8 million MAC/);
    await hand(page, 'drop', [file('cat.png', weightsFile('samples/cat.png'), 'image/png')]);
    await untilText(page.locator('#inputs .source'), /^cat\.png$/);
    await press(page, 'Run');
    await untilText(page.locator('#outputs'), /logitsfloat\[1, 10\]/);
    const { bytes } = readNpy('logits', await saved(page, /^Save logits/));
    const logits = Array.from(npyData('f4', bytes), Number);
    expect(logits.indexOf(Math.max(...logits))).toBe(3);
  });

  it('stops where asked', async () => {
    await press(page, 'Verify');
    await page.getByRole('button', { name: 'Cancel Esc' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await problem(page, 'aborted')).toContain('verifying');
    expect(await page.getByRole('button', { name: 'Verify', exact: true }).isEnabled()).toBe(true);
  });

  it('logged no error', () => expect(open.errors).toEqual([]));

  it('names the first node that is off, and saves it as a file that opens', async () => {
    const { page: other, errors } = await openPage(browser, 'examples/open/', {
      before: misplaces('binary[float32,mul]'),
    });
    await drop(other, small);
    await other.getByLabel('n', { exact: true }).fill('4');
    await press(other, 'Run');
    await untilText(other.locator('#status'), /^Done in/);
    await press(other, 'Verify');
    await untilText(other.locator('#checked'), /The first node that is off: first\/scale/);
    const alone = await saved(other, /^Save this node/);
    await hand(other, 'drop', [file('alone.onnx', alone)]);
    await untilText(other.locator('#title'), /^alone\.onnx$/);
    await untilText(other.locator('#graph'), /^Mulfirst\/scale\[4,3\] \[1\] → \[4,3\]$/);
    expect(errors).toEqual([]);
    await other.context().close();
  });
});
