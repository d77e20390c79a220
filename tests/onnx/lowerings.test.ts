import { describe, expect, it } from 'vitest';
import { HOST } from '../../src/onnx/host.ts';
import { FILES } from '../../src/onnx/lower/index.ts';

describe('lowerings', () => {
  it.each(Object.entries(FILES))('%s has the ops that the table says', async (_, { ops, load }) => {
    expect(Object.keys(await load()).sort()).toEqual(ops.split(' ').sort());
  });

  it('an op is in one file, and what the host computes the device computes too', () => {
    const all = Object.values(FILES).flatMap(({ ops }) => ops.split(' '));
    expect(new Set(all).size).toBe(all.length);
    expect(Object.keys(HOST).filter((op) => !all.includes(op))).toEqual([]);
  });
});
