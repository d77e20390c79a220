import { readFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
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
  const picture = await readFile(repositoryFolder('weights/samples/airplane.png'));
  const started = performance.now();
  using engine = await Engine.create();
  using model = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
  const [best] = await model.classify(new Blob([picture]));
  const ms = performance.now() - started;
  expect(best!.label).toBe('airplane');
  return ms;
}

it(
  `the first picture takes no more than ${MOST} times as long as with Dawn in Node, nothing compiled before`,
  async () => {
    vi.stubEnv('MESA_SHADER_CACHE_DISABLE', 'true');
    const times: { firefox: number[]; node: number[] } = { firefox: [], node: [] };
    for (let round = 0; round < 2; round++) {
      times.firefox.push(await inFirefox());
      times.node.push(await inNode());
    }
    const [firefox, node] = [Math.min(...times.firefox), Math.min(...times.node)];
    console.log(`the first picture: Firefox ${Math.round(firefox)} ms, Dawn in Node ${Math.round(node)} ms`);
    expect(firefox / node).toBeLessThan(MOST);
    vi.unstubAllEnvs();
  },
  4 * PATIENCE,
);
