import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { TilewrightError } from '../../src/errors.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const pixels = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(0.37 * i));

/** Lets a device have room for so many bytes: a buffer beyond them is an error of memory, as WebGPU reports it. */
function limited({ device }: Engine, room: number): void {
  const create = device.createBuffer.bind(device);
  const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
  const scopes: { filter: string; full: boolean }[] = [];
  let taken = 0;
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    taken += descriptor.size;
    buffer.destroy = () => {
      taken -= descriptor.size;
      return destroy();
    };
    const scope = scopes.findLast(({ filter }) => filter === 'out-of-memory');
    if (taken > room && scope) scope.full = true;
    return buffer;
  };
  device.pushErrorScope = (filter) => {
    scopes.push({ filter, full: false });
    return push(filter);
  };
  device.popErrorScope = async () => {
    const { full } = scopes.pop()!;
    const found = await pop();
    return full ? { message: 'not enough memory left' } : found;
  };
}

const failureOf = async (work: Promise<unknown>): Promise<TilewrightError> => {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(TilewrightError);
  return error as TilewrightError;
};

const MB = /([\d.]+) MB/g;
const figures = (text: string): number[] => [...text.matchAll(MB)].map(([, number]) => Number(number));

it('a device without room: what is needed, what is held, what smaller weights take; nothing stays, others go on', async () => {
  using engine = await freshEngine();
  const other = (await engine.load(RESNET)) as ImageClassifier;
  const wanted = await other.logits(pixels);
  const before = engine.counters.bytes;
  const whole = (await engine.load(GPT)) as TextGenerator;
  const { weights } = await whole.deviceBytes();
  whole.dispose();
  limited(engine, 200_000);

  const { code, message, hint } = await failureOf(engine.load(GPT));
  expect(code).toBe('out-of-memory');
  expect(message).toMatch(
    /no room for .*not enough memory left \(it takes up to .* of the device, where this engine holds .* besides\)/,
  );
  const [needed, held] = figures(message) as [number, number];
  expect(needed).toBeGreaterThanOrEqual(Number((weights / 1e6).toFixed(1)));
  expect(held).toBeCloseTo(before / 1e6, 1);
  expect(hint).toMatch(/smaller weights \(dtype\).* as float16, .* as int8, .* as int4/);
  const [half, eighth, fourth] = figures(hint!) as [number, number, number];
  expect(needed > half && half >= eighth && eighth >= fourth).toBe(true);
  expect(engine.counters.bytes).toBe(before);
  expect(await other.logits(pixels)).toEqual(wanted);
});
