import { describe, expect, it } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import { toHalf } from '../../src/tensor/half.ts';
import type { HostData } from '../../src/tensor/types.ts';
import {
  createML,
  install,
  type MLContext,
  MLGraphBuilder,
  type MLOperand,
  type MLOperandDataType,
  type MLTensor,
} from '../../src/webnn/ml.ts';
import { freshEngine, testEngine } from '../support/engine.ts';

/** The methods of the standard's MLGraphBuilder that add ops (its editor's draft, November 2026). */
const STANDARD = `
  abs add argMax argMin averagePool2d batchNormalization cast ceil clamp concat conv2d convTranspose2d cos cumulativeSum
  dequantizeLinear div elu equal erf exp expand floor gather gatherElements gatherND gelu gemm greater greaterOrEqual gru
  gruCell hardSigmoid hardSwish identity instanceNormalization isInfinite isNaN l2Pool2d layerNormalization leakyRelu
  lesser lesserOrEqual linear log logicalAnd logicalNot logicalOr logicalXor lstm lstmCell matmul max maxPool2d min mul
  neg notEqual pad pow prelu quantizeLinear reciprocal reduceL1 reduceL2 reduceLogSum reduceLogSumExp reduceMax
  reduceMean reduceMin reduceProduct reduceSum reduceSumSquare relu resample2d reshape reverse roundEven scatterElements
  scatterND sigmoid sign sin slice softmax softplus softsign split sqrt sub tan tanh tile transpose triangular where`
  .trim()
  .split(/\s+/);

/** Those of them that are not here. */
const MISSING: readonly string[] = [];

const float32 = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const floats = (...values: number[]) => Float32Array.from(values);

const { device } = await testEngine();
const context = await createML().createContext(device);
const builder = () => new MLGraphBuilder(context);

/** What work throws, at once or later. */
async function thrown(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

async function refuses(work: () => unknown, message: RegExp): Promise<void> {
  const error = await thrown(work);
  expect(error).toBeInstanceOf(TypeError);
  expect((error as TypeError).message).toMatch(message);
}

async function ended(work: () => unknown, name = 'InvalidStateError'): Promise<void> {
  const error = await thrown(work);
  expect(error).toBeInstanceOf(DOMException);
  expect((error as DOMException).name).toBe(name);
}

/** A tensor with numbers, to read and to write. */
async function tensorOf(on: MLContext, dataType: MLOperandDataType, shape: number[], data?: ArrayBufferView) {
  const tensor = await on.createTensor({ dataType, shape, readable: true, writable: true });
  if (data) on.writeTensor(tensor, data);
  return tensor;
}

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
} as const;

/** The numbers of a tensor, in the array of its type. */
const read = async (on: MLContext, tensor: MLTensor): Promise<HostData> =>
  new ARRAYS[tensor.dataType](await on.readTensor(tensor));

/** Builds and runs a graph of one input and one output, both of these. */
async function compute(
  on: MLContext,
  dataType: MLOperandDataType,
  shape: number[],
  data: ArrayBufferView,
  make: (b: MLGraphBuilder, x: MLOperand) => MLOperand,
): Promise<HostData> {
  const b = new MLGraphBuilder(on);
  const output = make(b, b.input('x', { dataType, shape }));
  const graph = await b.build({ y: output });
  const x = await tensorOf(on, dataType, shape, data);
  const y = await tensorOf(on, output.dataType, [...output.shape]);
  on.dispatch(graph, { x }, { y });
  const result = await read(on, y);
  for (const thing of [graph, x, y]) thing.destroy();
  return result;
}

describe('navigator.ml', () => {
  it('has every method of the standard that is not listed as missing, and no other', () => {
    const own = Object.getOwnPropertyNames(MLGraphBuilder.prototype);
    const ops = own.filter((name) => !['constructor', 'input', 'constant', 'build'].includes(name));
    expect(STANDARD.filter((name) => !ops.includes(name))).toEqual(MISSING);
    expect(ops.filter((name) => !STANDARD.includes(name))).toEqual([]);
  });

  it('is installed where there is none, or by force, with the classes that pages name', async () => {
    const scope = globalThis as unknown as { navigator: { ml?: unknown }; MLGraphBuilder?: unknown };
    const before = install({ force: true });
    expect(scope.navigator.ml).toBe(before);
    expect(scope.MLGraphBuilder).toBe(MLGraphBuilder);
    expect(install()).toBe(before);
    expect(install({ force: true })).not.toBe(before);
    const error = await thrown(() => install({ forced: true } as object));
    expect(error).toBeInstanceOf(TilewrightError);
    expect(error).toMatchObject({ code: 'invalid-argument' });
  });

  it('makes contexts of what the standard lets it be asked for', async () => {
    const ml = createML();
    const own = await ml.createContext({ deviceType: 'gpu', powerPreference: 'low-power' });
    expect(await compute(own, 'float32', [2], floats(1, -2), (b, x) => b.neg(x))).toEqual(floats(-1, 2));
    own.destroy();
    await refuses(() => ml.createContext({ deviceType: 'tpu' as 'npu' }), /deviceType is tpu/);
    await refuses(() => ml.createContext({ powerPreference: 'much' as 'default' }), /powerPreference is much/);
    await refuses(() => ml.createContext(null as unknown as object), /expected options or a GPUDevice/);
  });

  it('says what each op takes, and takes just that', () => {
    const limits = context.opSupportLimits();
    const types = limits.input.dataTypes;
    expect(types).toHaveLength(10);
    expect(Object.keys(limits)).toEqual(expect.arrayContaining(STANDARD.filter((name) => !MISSING.includes(name))));
    expect(limits.maxTensorByteLength).toBeGreaterThanOrEqual(2 ** 27);
    expect(limits['conv2d']).toMatchObject({ input: { rankRange: { min: 4, max: 4 } }, bias: {}, output: {} });
    expect(Object.keys(limits['conv2d']!)).toEqual(['input', 'filter', 'bias', 'output']);
    expect(Object.keys(limits['concat']!)).toEqual(['inputs', 'output']);
    expect(Object.keys(limits['split']!)).toEqual(['input', 'outputs']);
    const b = builder();
    const names = STANDARD.filter((name) =>
      ['input output', 'a b output'].includes(Object.keys(limits[name]!).join(' ')),
    );
    const tried: string[] = [];
    for (const name of names) {
      const op = limits[name]!;
      const rank2 = Math.max(...Object.values(op).map(({ rankRange }) => rankRange?.min ?? 0)) <= 2;
      const method = (b as unknown as Record<string, (...args: unknown[]) => MLOperand>)[name]!;
      if (!rank2 || (name !== 'where' && !isPlain(name))) continue;
      tried.push(name);
      for (const [i, dataType] of types.entries()) {
        const x = b.input(`${name}${i}`, { dataType, shape: [2, 2] });
        const listed = (op['input'] ?? op['a'])!.dataTypes.includes(dataType);
        let made: MLOperand | undefined;
        try {
          made = 'a' in op ? method.call(b, x, x) : method.call(b, x);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
        expect(made !== undefined, `${name} of ${dataType}`).toBe(listed);
        if (made) expect(op['output']!.dataTypes, `${name} of ${dataType}`).toContain(made.dataType);
      }
    }
    expect(tried.length).toBeGreaterThan(45);
  });
});

/** Whether an op can be called with operands alone. */
const isPlain = (name: string): boolean =>
  !/^(arg|cast|expand|reshape|slice|split|tile|pad|softmax|cumulative|concat|transpose|reverse|triangular)/.test(name);

describe('a graph', () => {
  it('runs on tensors that stay on the device: one submit a dispatch, the output of one the input of the next', async () => {
    const b = builder();
    const x = b.input('x', float32(2, 2));
    const weights = await context.createConstantTensor(float32(2, 2), floats(1, 2, 3, 4));
    const sum = b.add(b.matmul(x, b.constant(weights)), b.constant('float32', 0.5));
    const data = floats(1, 1);
    const scaled = b.mul(sum, b.constant(float32(2), data), { label: 'scaled' });
    data.fill(7); // constants are copies
    weights.destroy();
    const graph = await b.build({ scaled, sum: b.identity(sum) });
    const [p, q, r, s] = await Promise.all([0, 1, 2, 3].map(() => tensorOf(context, 'float32', [2, 2])));
    context.writeTensor(p!, floats(1, 0, 0, 1));
    const { queue } = device;
    const submit = queue.submit.bind(queue);
    let submits = 0;
    queue.submit = (list) => {
      submits++;
      return submit(list);
    };
    try {
      context.dispatch(graph, { x: p! }, { scaled: q!, sum: r! });
      context.dispatch(graph, { x: q! }, { scaled: s!, sum: r! });
    } finally {
      queue.submit = submit;
    }
    expect(submits).toBe(2);
    expect(await read(context, q!)).toEqual(floats(1.5, 2.5, 3.5, 4.5));
    expect(await read(context, s!)).toEqual(floats(9.5, 13.5, 17.5, 25.5));
    expect(await read(context, r!)).toEqual(floats(9.5, 13.5, 17.5, 25.5));
  });

  it('has 64-bit and 4-bit numbers at its border', async () => {
    const long = BigInt64Array.of(1n, -2147483648n, 2147483646n);
    expect(await compute(context, 'int64', [3], long, (b, x) => b.add(x, b.constant('int64', 1n)))).toEqual(
      BigInt64Array.of(2n, -2147483647n, 2147483647n),
    );
    const unsigned = BigUint64Array.of(4294967295n, 0n);
    expect(await compute(context, 'uint64', [2], unsigned, (b, x) => b.identity(x))).toEqual(unsigned);
    const nibbles = Uint8Array.of(0x8f, 0x07); // -1, -8, 7
    const scale = (b: MLGraphBuilder) => b.constant('float32', 2);
    const zero = (b: MLGraphBuilder) => b.constant('int4', 1);
    expect(
      await compute(context, 'int4', [3], nibbles, (b, x) => {
        const shape = [1];
        return b.dequantizeLinear(x, b.reshape(scale(b), shape), b.reshape(zero(b), shape));
      }),
    ).toEqual(floats(-4, -18, 12));
    const kept = await tensorOf(context, 'uint4', [3], Uint8Array.of(0x2f, 0x05));
    expect(await read(context, kept)).toEqual(Uint8Array.of(0x2f, 0x05));
    const wide = await tensorOf(context, 'int64', [1]);
    const error = await thrown(() => context.writeTensor(wide, BigInt64Array.of(2n ** 40n)));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).cause).toMatchObject({ code: 'unsupported-type' });
  });

  it('casts the number of a constant to its type', async () => {
    const typed: [MLOperandDataType, number | bigint, HostData][] = [
      ['int8', -3, Int8Array.of(-3)],
      ['uint8', 250.7, Uint8Array.of(250)],
      ['int32', -70000, Int32Array.of(-70000)],
      ['uint32', 4294967295n, Uint32Array.of(4294967295)],
      ['int64', -5, BigInt64Array.of(-5n)],
      ['float16', 1.5, Uint16Array.of(toHalf(1.5))],
    ];
    for (const [dataType, value, want] of typed) {
      const b = builder();
      const graph = await b.build({ y: b.identity(b.constant(dataType, value)) });
      const y = await tensorOf(context, dataType, []);
      context.dispatch(graph, {}, { y });
      expect(await read(context, y), dataType).toEqual(want);
    }
  });

  it('is read into a buffer of the caller, who may give buffers and views', async () => {
    const tensor = await context.createTensor({ ...float32(3), readable: true, writable: true });
    expect(await read(context, tensor)).toEqual(floats(0, 0, 0));
    context.writeTensor(tensor, floats(9, 1, 2, 3, 9).subarray(1, 4));
    const into = new Float32Array(5);
    expect(await context.readTensor(tensor, into.subarray(1, 4))).toBe(undefined);
    expect([...into]).toEqual([0, 1, 2, 3, 0]);
    context.writeTensor(tensor, floats(4, 5, 6).buffer);
    const bytes = new ArrayBuffer(12);
    await context.readTensor(tensor, bytes);
    expect([...new Float32Array(bytes)]).toEqual([4, 5, 6]);
    await refuses(() => context.readTensor(tensor, new Float32Array(2)), /has 12 bytes, got 8/);
    await refuses(() => context.readTensor(tensor, new Int32Array(3)), /expected Float32Array .* got Int32Array/);
    await refuses(() => context.writeTensor(tensor, floats(1)), /has 12 bytes, got 4/);
    await refuses(() => context.writeTensor(tensor, [1, 2, 3] as unknown as ArrayBuffer), /got Array/);
    tensor.destroy();
  });
});

describe('mistakes', () => {
  it('are TypeErrors of the builder', async () => {
    const b = builder();
    const x = b.input('x', float32(2, 3));
    await refuses(() => b.input('x', float32(1)), /two inputs are named 'x'/);
    await refuses(() => b.input('', float32(1)), /the name is empty/);
    await refuses(() => b.input('y', float32(2, 0)), /dimensions are integers from 1 on/);
    await refuses(() => b.input('y', { dataType: 'float64' as 'float32', shape: [1] }), /'float64' is no data type/);
    await refuses(() => b.input('y', { dataType: 'int4x8' as 'int4', shape: [8] }), /no data type/);
    await refuses(() => b.input('y', float32(...Array(9).fill(1))), /rank 9, 8 at most/);
    await refuses(() => b.constant(float32(2), floats(1)), /has 8 bytes, got 4/);
    await refuses(() => b.constant('float32', '1' as unknown as number), /expected a number/);
    await refuses(() => b.matmul(x, x), /./);
    await refuses(() => b.add(x, b.constant('int32', 1)), /./);
    await refuses(() => b.add(x, undefined as unknown as MLOperand), /expected an MLOperand/);
    await refuses(() => b.relu(builder().input('x', float32(1))), /of another builder/);
    await refuses(() => b.gemm(x, b.transpose(x), { c: 1 as unknown as MLOperand }), /gemm: c: expected an MLOperand/);
    await refuses(() => b.concat([], 0), /expected a list of operands/);
    await refuses(() => b.concat([x, 3 as unknown as MLOperand], 0), /expected an MLOperand/);
    await refuses(() => b.softmax(x, -1), /axis is -1, expected integers from 0 on/);
    await refuses(() => b.reduceSum(x, { axes: [-1] }), /axes is -1/);
    await refuses(() => b.reshape(x, [-1]), /newShape is -1/);
    await refuses(() => b.split(x, 0.5), /splits is 0.5/);
    await refuses(() => b.cast(x, 'bool' as 'uint8'), /'bool' is no data type/);
    await refuses(() => b.cast(x, 'int4'), /quantizeLinear makes that/);
    await refuses(() => (b.expand as (input: MLOperand) => MLOperand)(x), /newShape is missing/);
    await refuses(() => b.build({}), /there are no outputs/);
    await refuses(() => b.build({ '': b.relu(x) }), /name of an output is empty/);
    await refuses(() => b.build({ x }), /output 'x' is an input or a constant/);
    await refuses(() => b.build({ y: builder().input('x', float32(1)) }), /of another builder/);
    await refuses(() => new MLGraphBuilder({} as MLContext), /expected an MLContext/);
    // What the engine's ops have beyond the standard is no option here, as no unknown member of a dictionary is.
    const product = b.matmul(x, b.input('w', float32(3, 4)), { transposeB: true, activation: 7 } as object);
    expect(product.shape).toEqual([2, 4]);
    const graph = await b.build({ product });
    graph.destroy();
  });

  it('are TypeErrors of the context', async () => {
    await refuses(() => context.createTensor(float32(0)), /dimensions are integers/);
    await refuses(() => context.createTensor(float32(2 ** 15, 2 ** 16)), /bytes, \d+ at most/);
    await refuses(() => context.createConstantTensor(float32(2), floats(1)), /has 8 bytes/);
    const closed = await context.createTensor(float32(1));
    expect(closed).toMatchObject({
      dataType: 'float32',
      shape: [1],
      readable: false,
      writable: false,
      constant: false,
    });
    await refuses(() => context.readTensor(closed), /not readable/);
    await refuses(() => context.writeTensor(closed, floats(1)), /not writable/);
    await refuses(() => builder().constant(closed), /not constant/);
    const constant = await context.createConstantTensor(float32(1), floats(1));
    expect(constant.constant).toBe(true);
    await refuses(() => context.readTensor(constant), /constant/);
    await refuses(() => context.readTensor({} as MLTensor), /expected an MLTensor/);
  });

  it('of a dispatch change nothing', async () => {
    const b = builder();
    const [x, w] = [b.input('x', float32(2)), b.input('w', float32(2))];
    const graph = await b.build({ y: b.add(x, w) });
    const good = {
      x: await tensorOf(context, 'float32', [2], floats(1, 2)),
      w: await tensorOf(context, 'float32', [2]),
    };
    const y = await tensorOf(context, 'float32', [2], floats(5, 5));
    const other = await tensorOf(context, 'int32', [2]);
    const longer = await tensorOf(context, 'float32', [3]);
    const constant = await context.createConstantTensor(float32(2), floats(1, 1));
    const dispatch = (inputs: Record<string, MLTensor>, outputs: Record<string, MLTensor>) => () =>
      context.dispatch(graph, inputs, outputs);
    await refuses(dispatch({ x: good.x }, { y }), /input 'w' is missing/);
    await refuses(dispatch({ ...good, z: other }, { y }), /input 'z' is not one of the graph/);
    await refuses(dispatch(good, {}), /output 'y' is missing/);
    await refuses(dispatch({ ...good, w: other }, { y }), /input 'w' is int32\[2\], expected float32\[2\]/);
    await refuses(dispatch(good, { y: longer }), /output 'y' is float32\[3\], expected float32\[2\]/);
    await refuses(dispatch({ x: good.x, w: good.x }, { y }), /given twice/);
    await refuses(dispatch(good, { y: good.x }), /given twice/);
    await refuses(dispatch({ ...good, w: constant }, { y }), /constant/);
    await refuses(() => context.dispatch({} as typeof graph, good, { y }), /expected an MLGraph/);
    expect(await read(context, y)).toEqual(floats(5, 5));
    dispatch(good, { y })();
    expect(await read(context, y)).toEqual(floats(1, 2));
  });
});

describe('ends', () => {
  it('of a builder: it builds once', async () => {
    const b = builder();
    const y = b.relu(b.input('x', float32(1)));
    await refuses(() => b.build({}), /no outputs/); // which is no build
    const building = b.build({ y });
    await ended(() => b.build({ y }));
    await ended(() => b.relu(y));
    await ended(() => b.input('z', float32(1)));
    await ended(() => b.constant('float32', 1));
    (await building).destroy();
  });

  it('of tensors and graphs', async () => {
    const b = builder();
    const graph = await b.build({ y: b.relu(b.input('x', float32(2))) });
    const [x, y] = [await tensorOf(context, 'float32', [2], floats(-1, 3)), await tensorOf(context, 'float32', [2])];
    context.dispatch(graph, { x }, { y });
    const pending = read(context, y);
    graph.destroy();
    graph.destroy();
    y.destroy();
    y.destroy();
    expect(await pending).toEqual(floats(0, 3)); // was asked for before
    await refuses(() => context.readTensor(y), /destroyed/);
    await refuses(() => context.writeTensor(y, floats(1, 2)), /destroyed/);
    await ended(() => context.dispatch(graph, { x }, { y: x }));
    const constant = await context.createConstantTensor(float32(1), floats(1));
    constant.destroy();
    await refuses(() => builder().constant(constant), /destroyed/);
    const c = builder();
    const again = await c.build({ y: c.relu(c.input('x', float32(2))) });
    await refuses(() => context.dispatch(again, { x }, { y }), /destroyed/);
    again.destroy();
  });

  it('of a context: all of it, and not of the device of the caller', async () => {
    const engine = await freshEngine();
    const one = await createML().createContext(engine.device);
    const b = new MLGraphBuilder(one);
    const graph = await b.build({ y: b.neg(b.input('x', float32(1))) });
    const [x, y] = [await tensorOf(one, 'float32', [1], floats(1)), await tensorOf(one, 'float32', [1])];
    const open = new MLGraphBuilder(one);
    const under = one.readTensor(x);
    one.destroy();
    one.destroy();
    expect((await one.lost).message).toMatch(/destroyed/);
    await ended(() => under);
    await ended(() => one.dispatch(graph, { x }, { y }));
    await ended(() => one.readTensor(y));
    await ended(() => one.writeTensor(y, floats(1)));
    await ended(() => one.createTensor(float32(1)));
    await ended(() => one.createConstantTensor(float32(1), floats(1)));
    await ended(() => open.input('x', float32(1)));
    await ended(() => new MLGraphBuilder(one));
    const two = await createML().createContext(engine.device);
    expect(await compute(two, 'float32', [1], floats(2), (b, x) => b.neg(x))).toEqual(floats(-2));
    engine.dispose(); // the device goes, and what is on it
    await two.lost;
    await ended(() => two.createTensor(float32(1)));
  });

  it('of a context while it builds', async () => {
    const { device } = await freshEngine();
    const one = await createML().createContext(device);
    const b = new MLGraphBuilder(one);
    const building = b.build({ y: b.tanh(b.input('x', float32(4))) });
    one.destroy();
    await ended(() => building);
    device.destroy();
  });
});

it('two contexts compute side by side, and take nothing of each other', async () => {
  const other = await createML().createContext(device);
  const run = (on: MLContext, values: number[]) => compute(on, 'float32', [2], floats(...values), (b, x) => b.neg(x));
  const [left, right] = await Promise.all([run(context, [1, 2]), run(other, [3, 4])]);
  expect([left, right]).toEqual([floats(-1, -2), floats(-3, -4)]);
  const tensor = await tensorOf(context, 'float32', [2]);
  await refuses(() => other.readTensor(tensor), /of another context/);
  await refuses(() => other.writeTensor(tensor, floats(1, 2)), /of another context/);
  const b = builder();
  const graph = await b.build({ y: b.neg(b.input('x', float32(2))) });
  const y = await tensorOf(context, 'float32', [2]);
  await refuses(() => other.dispatch(graph, { x: tensor }, { y }), /the graph is of another context/);
  const constant = await other.createConstantTensor(float32(1), floats(1));
  await refuses(() => builder().constant(constant), /of another context/);
  const own = await tensorOf(other, 'float32', [2]);
  await refuses(() => context.dispatch(graph, { x: own }, { y }), /of another context/);
  other.destroy();
  context.dispatch(graph, { x: tensor }, { y });
  expect(await read(context, y)).toEqual(floats(-0, -0));
});
