import { describe, expect, it } from 'vitest';
import { type BenchParameters, fromSearch, toSearch } from '../../bench/parameters.ts';

describe('the parameters of the bench', () => {
  it('go into an address and come back', () => {
    const parameters: BenchParameters = {
      preset: 'quick',
      suites: ['matmul', 'custom'],
      only: '512 & more',
      dtypes: ['int4', 'w8a8'],
      peers: ['tensorflow.js'],
      gpu: 'Arc A770, 16 GB',
    };
    const search = toSearch(parameters).toString();
    expect(search).toBe(
      'preset=quick&suite=matmul&suite=custom&only=512+%26+more&dtype=int4&dtype=w8a8&peer=tensorflow.js&gpu=Arc+A770%2C+16+GB',
    );
    expect(fromSearch(new URLSearchParams(search))).toEqual(parameters);
    expect(fromSearch(new URLSearchParams(''))).toEqual({});
    expect(toSearch({}).toString()).toBe('');
  });

  it.each([
    ['prest=quick', 'there is no parameter prest (got "quick")'],
    ['preset=fast', 'preset: expected "tiny" or "quick" or "full", got "fast"'],
    ['preset=quick&preset=full', 'preset: expected one value, got ["quick","full"]'],
    ['suite=matmul&suite=matmal', 'suites: expected a list of values, each "matmul" or'],
    ['dtype=bf16', 'dtypes: expected a list'],
    ['peer=tilewright', 'peers: expected a list'],
  ])('refuses %s by name', (search, message) => {
    expect(() => fromSearch(new URLSearchParams(search))).toThrow(message);
  });

  it('refuses what it could not read back', () => {
    expect(() => toSearch({ preset: 'slow' as 'quick' })).toThrow('preset: expected');
  });
});
