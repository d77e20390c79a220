import { describe, expect, it } from 'vitest';
import { adapterName } from '../../src/gpu/adapter.ts';
import { fakeGpu } from '../support/fake-gpu.ts';

describe('what kernels may rely on, by the name of the adapter', () => {
  it.each([
    ['SwiftShader', { vendor: 'google', architecture: 'swiftshader' }, [true, true, true]],
    ['llvmpipe', { vendor: 'mesa', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }, [true, false, false]],
    ['a GPU', { vendor: 'nvidia', architecture: 'ampere' }, [false, true, true]],
    ['a software adapter that tells no name, as in Firefox', { isFallbackAdapter: true }, [true, false, false]],
    ['an adapter that tells nothing at all', {}, [false, false, false]],
  ])('%s', (_, info, [software, longKernels, longLoops]) => {
    expect(fakeGpu(info).caps).toMatchObject({ software, longKernels, longLoops });
    expect(fakeGpu(info, ['shader-f16']).caps).toMatchObject({ software, longKernels, longLoops: true });
  });

  it('is said to be not told where there is none', () => {
    expect(adapterName(fakeGpu({ isFallbackAdapter: true }).card)).toBe('adapter not told (software)');
    expect(adapterName(fakeGpu({ vendor: 'apple' }).card)).toBe('apple');
  });
});
