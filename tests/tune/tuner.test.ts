import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { version } from '../../package.json';
import type { AdapterCard } from '../../src/gpu/adapter.ts';
import { choiceStore, NOTHING, storeKey } from '../../src/tune/store.ts';
import { winner } from '../../src/tune/tuner.ts';
import { VERSION } from '../../src/version.ts';

const card = {
  vendor: 'v',
  architecture: 'a',
  device: 'd',
  description: 'driver 1',
  features: [],
} as unknown as AdapterCard;

it('the engine says the version of its package', () => {
  expect(VERSION).toBe(version);
});

describe('the winner', () => {
  const guess = { label: 'guess', times: [10, 11, 10, 12, 10] };

  it('is another than the guess only by more than 3 %, in most rounds', () => {
    expect(winner([guess, { label: 'other', times: [8, 9, 8, 9, 8] }])).toBe('other');
    expect(winner([guess, { label: 'other', times: [9.8, 10.8, 9.8, 11.8, 9.8] }])).toBe('guess');
    expect(winner([guess, { label: 'lucky', times: [1, 20, 1, 20, 1] }])).toBe('guess');
  });

  it('is the fastest of several', () => {
    expect(winner([guess, { label: 'a', times: [8, 8, 8, 8, 8] }, { label: 'b', times: [7, 7, 7, 7, 7] }])).toBe('b');
  });
});

describe('the store in Node', () => {
  const before = process.env['XDG_CACHE_HOME'];
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
  });

  it('keeps choices for one adapter and driver, and gives none where the file is damaged', async () => {
    const folder = await mkdtemp(`${tmpdir()}/tilewright-`);
    process.env['XDG_CACHE_HOME'] = folder;
    try {
      const found = {
        choices: { 'matmul(a b)': { label: 'x', full: true } },
        aside: { y: 'off by 1' },
        experimental: { z: null },
      };
      expect(await choiceStore(card).load()).toEqual(NOTHING);
      await choiceStore(card).save(found);
      expect(await choiceStore(card).load()).toEqual(found);
      expect(await choiceStore({ ...card, description: 'driver 2' }).load()).toEqual(NOTHING);
      const [file, ...others] = await readdir(`${folder}/tilewright`);
      expect(others).toEqual([]);
      await writeFile(`${folder}/tilewright/${file}`, '{"key":');
      expect(await choiceStore(card).load()).toEqual(NOTHING);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is no reason to fail where nothing can be written', async () => {
    process.env['XDG_CACHE_HOME'] = '/dev/null';
    await choiceStore(card).save(NOTHING);
    expect(await choiceStore(card).load()).toEqual(NOTHING);
  });

  it('knows the engine by its version', () => {
    expect(storeKey(card)).toContain(version);
  });
});
