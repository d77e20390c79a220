import sharp from 'sharp';
import { afterAll, expect, it, vi } from 'vitest';
import { Engine } from '../../src/engine.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { repositoryFolder } from '../support/files.ts';
import { open, PATIENCE, startFirefox, untilText } from './firefox.ts';

/** Firefox's first picture over that of Dawn in Node, on the same driver. */
const MOST = 3;

/** Milliseconds from the opening of the page to the name of its first picture. */
async function inFirefox(): Promise<number> {
  const browser = await startFirefox();
  try {
    const started = performance.now();
    const { page } = await open(browser, 'examples/classify/');
    await untilText(page, '#bars li:first-child .label', /^airplane$/);
    return performance.now() - started;
  } finally {
    await browser.close();
  }
}

/** Milliseconds from an engine to the name of a picture. */
async function inNode(): Promise<number> {
  const file = sharp(repositoryFolder('weights/samples/airplane.png')).ensureAlpha().raw();
  const { data, info } = await file.toBuffer({ resolveWithObject: true });
  const started = performance.now();
  using engine = await Engine.create();
  using model = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
  const [best] = await model.classify({ ...info, data });
  const ms = performance.now() - started;
  expect(best!.label).toBe('airplane');
  return ms;
}

afterAll(() => void vi.unstubAllEnvs());

it.skipIf(!globalThis.navigator?.gpu)(
  `the first picture takes no more than ${MOST} times as long as with Dawn in Node, nothing compiled before`,
  async () => {
    vi.stubEnv('MESA_SHADER_CACHE_DISABLE', 'true');
    const ratios: number[] = [];
    // Whatever else the machine does may meet one of the two: then both are timed again.
    for (let round = 0; round < 2 && !(ratios.at(-1)! < MOST); round++) {
      const [firefox, node] = [await inFirefox(), await inNode()];
      console.log(`the first picture: Firefox ${Math.round(firefox)} ms, Dawn in Node ${Math.round(node)} ms`);
      ratios.push(firefox / node);
    }
    expect(Math.min(...ratios)).toBeLessThan(MOST);
  },
  4 * PATIENCE,
);
