import { describe, expect, it } from 'vitest';
import { MATRICES } from '../../src/gpu/adapter.ts';
import { fakeGpu } from '../support/fake-gpu.ts';

const config = (componentType: string, resultComponentType: string, N = 16) => ({
  componentType,
  resultComponentType,
  M: 16,
  N,
  K: 16,
});

function matricesOn(features: readonly string[], subgroupMatrixConfigs: readonly object[] | undefined) {
  const sizes = { subgroupMinSize: 32, subgroupMaxSize: 64 };
  return fakeGpu({ vendor: 'amd', ...sizes, ...(subgroupMatrixConfigs && { subgroupMatrixConfigs }) }, features).caps
    .subgroupMatrices;
}

describe('subgroup matrices of a device', () => {
  const all = ['subgroups', MATRICES];

  it('are those whose sums are as exact as those of other kernels', () => {
    const configs = [
      config('f16', 'f16'),
      config('f16', 'f32', 8),
      config('u8', 'i32'),
      config('i8', 'u32'),
      config('i8', 'i32'),
    ];
    expect(matricesOn(all, configs)).toEqual([
      { component: 'f16', m: 16, n: 8, k: 16, lanes: 64 },
      { component: 'i8', m: 16, n: 16, k: 16, lanes: 64 },
    ]);
  });

  it.each([
    ['without the feature', ['subgroups'], [config('f16', 'f32')]],
    ['without subgroups', [MATRICES], [config('f16', 'f32')]],
    ['where the adapter says nothing', all, undefined],
  ] as const)('are none %s', (_, features, configs) => {
    expect(matricesOn(features, configs)).toEqual([]);
  });
});
