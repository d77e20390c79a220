import { expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, plan } from '../../src/graph/plan.ts';

const caps = {
  software: true,
  f16: false,
  longLoops: true,
  subgroups: false,
  minSubgroupSize: 0,
  longKernels: false,
  packedDot: true,
  maxBindingBytes: 2 ** 27,
  maxBufferBytes: 2 ** 28,
  maxWorkgroupStorageBytes: 16384,
  maxInvocations: 256,
};

it('a plan prints what runs, from where to where, and the memory', () => {
  const b = new GraphBuilder();
  const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
  const constant = (...shape: number[]) =>
    b.constant(float(...shape), new Float32Array(shape.reduce((x, y) => x * y, 1)));
  const image = b.input('image', float(1, 8, 8, 8));
  const x = b.relu(b.conv2d(image, constant(16, 8, 3, 3), { bias: constant(16), label: 'conv1' }));
  const y = b.reshape(b.averagePool2d(x, { label: 'pool' }), [1, 16]);
  const logits = b.add(b.matmul(y, constant(10, 16), { transposeB: true, label: 'fc' }), constant(10));
  expect(formatPlan(plan(optimise(b.outputs({ logits })), caps))).toMatchInlineSnapshot(`
    "  0  transpose[b32]    input=input image -> m1 float32[1,8,8,8]  grid 2×1×1
      1  conv2d_registers[f32,bias_relu,4x4]  conv1  input=m1 filter=const conv1 bias=const -> m0 float32[1,6,6,16]  grid 1×2×1
      2  averagePool2d[f32]  pool  input=m0 -> m1 float32[1,1,1,16]  grid 1×1×1
      3  matmul_gemv[f32,nk,ragged,bias,1x16_serial]  fc  a=m1 b=const bias=const -> m0 float32[1,10]  grid 1×1×1
    4 dispatches; 4 intermediates in 2 buffers, 0.00 MB
    4 constants, 0.01 MB, made by 1 dispatches at load
    0 states, 0.00 MB"
  `);
});
