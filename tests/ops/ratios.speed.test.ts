import { expect, it } from 'vitest';
import { buildSession } from '../../src/build/build.ts';
import { unfolded } from '../../src/gpu/wgsl.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { leaf, operand } from '../../src/graph/ir.ts';
import type { Session } from '../../src/runtime/session.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import naive from '../support/naive_matmul.wgsl';
import { storeOf } from '../support/store.ts';

const N = 512;
const ROUNDS = 5;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

it('matmul 512 × 512 × 512, tuned, is at least 8 times a naive kernel on SwiftShader, in one interleaved run', async () => {
  const engine = await testEngine();
  const { device } = engine;
  const builder = new GraphBuilder();
  const square = { dataType: 'float32', shape: [N, N] } as const;
  using session = await engine.build(
    builder.outputs({ c: builder.matmul(builder.input('a', square), builder.input('b', square)) }),
    { tune: 'fast', tuner: new Tuner(engine.gpu, storeOf()) },
  );
  const inputs = Object.fromEntries(
    ['a', 'b'].map((name, seed) => [name, Float32Array.from({ length: N * N }, (_, i) => Math.sin(i * 0.7 + seed))]),
  );
  const { c } = await session.run(inputs);

  const buffers = [
    session.inputBuffer('a'),
    session.inputBuffer('b'),
    device.createBuffer({ size: 4 * N * N, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC }),
  ];
  const module = device.createShaderModule({ code: unfolded(naive.texts[0]!) });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const timed = async (encode: (encoder: GPUCommandEncoder) => void): Promise<number> => {
    const encoder = device.createCommandEncoder();
    encode(encoder);
    const commands = encoder.finish();
    const start = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  const ours = (): Promise<number> => timed((encoder) => session.encode(encoder));
  const theirs = (): Promise<number> =>
    timed((encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(N / 16, N / 16);
      pass.end();
    });

  await theirs();
  const staging = device.createBuffer({ size: 4 * N * N, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  await timed((encoder) => encoder.copyBufferToBuffer(buffers[2]!, 0, staging, 0, 4 * N * N));
  await staging.mapAsync(GPUMapMode.READ);
  expect(normwise(c!, new Float32Array(staging.getMappedRange()))).toBeLessThan(2e-6);

  const [fast, slow]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    fast.push(await ours());
    slow.push(await theirs(), await theirs());
    fast.push(await ours());
  }
  const [a, b] = [median(fast), median(slow)];
  const gflops = (ms: number): string => ((2 * N ** 3) / ms / 1e6).toFixed(2);
  console.log(`matmul 512: ${gflops(a)} GFLOPS against ${gflops(b)} naive, ${(b / a).toFixed(1)} times`);
  if (engine.adapter.architecture === 'swiftshader') expect(b / a).toBeGreaterThan(8);
});

it('a row times 4096 × 4096 int8 takes at most 1 / 1.3 of the time of float32 on software adapters, in one interleaved run', async () => {
  const { gpu } = await testEngine();
  const side = 4096;
  const build = (
    weights: Float32Array<ArrayBuffer> | Int8Array<ArrayBuffer>,
    transposeB: boolean,
  ): Promise<Session> => {
    const a = leaf('input', { dataType: 'float32', shape: [1, side] }, { name: 'a' });
    const dataType = weights instanceof Int8Array ? 'int8' : 'float32';
    const b = leaf('constant', { dataType, shape: [side, side] }, { data: weights });
    const ones = new Float32Array(side).fill(1);
    const scales = leaf('constant', { dataType: 'float32', shape: [side] }, { data: ones });
    const inputs = dataType === 'int8' ? { a, b, scales } : { a, b };
    return buildSession(gpu, { outputs: { c: operand('matmul', inputs, { transposeB }) } });
  };
  const numbers = Int8Array.from({ length: side * side }, (_, i) => ((i * 31) % 255) - 127);
  const a = Float32Array.from({ length: side }, (_, i) => Math.sin(i));
  const timed = async (session: Session): Promise<number> => {
    const encoder = gpu.device.createCommandEncoder();
    for (let i = 0; i < 3; i++) session.encode(encoder);
    const start = performance.now();
    gpu.submit(encoder);
    await gpu.device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  for (const transposeB of [false, true]) {
    using float = await build(Float32Array.from(numbers), transposeB);
    using int8 = await build(numbers, transposeB);
    const [{ c: want }, { c: got }] = [await float.run({ a }), await int8.run({ a })];
    expect(normwise(got!, want!)).toBeLessThan(2e-6);
    const [slow, fast]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      slow.push(await timed(float));
      fast.push(await timed(int8), await timed(int8));
      slow.push(await timed(float));
    }
    const ratio = median(slow) / median(fast);
    console.log(`gemv 4096 ${transposeB ? '[N,K]' : '[K,N]'}: int8 is ${ratio.toFixed(2)} times as fast as float32`);
    if (gpu.caps.software) expect(ratio).toBeGreaterThan(1.3);
  }
});
