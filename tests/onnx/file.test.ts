import { describe, expect, it } from 'vitest';
import { openOnnx, openOnnxTensor } from '../../src/formats/onnx.ts';
import type { OnnxModel, OnnxTensor, OnnxType } from '../../src/formats/onnx-model.ts';
import { Message } from '../../src/formats/protobuf-write.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { onnxOf, openFolder } from '../../src/hub/folder.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { fromBytes, type Scalar } from '../../src/onnx/values.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { bytesOf, expectError } from '../formats/files.ts';
import {
  encodeModel,
  encodeTensor,
  floats,
  type ModelToEncode,
  node,
  type TensorToEncode,
  tensorMessage,
} from '../support/onnx.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const open = async (bytes: Bytes, others: Record<string, Bytes> = {}, name = 'm.onnx'): Promise<OnnxModel> =>
  openOnnx(await openFolder({ [name]: bytes, ...others }), name);
const openModel = (model: ModelToEncode, others?: Record<string, Bytes>): Promise<OnnxModel> =>
  open(encodeModel(model), others);
const openTensor = async (tensor: TensorToEncode): Promise<OnnxTensor> =>
  openOnnxTensor(bytesSource('t.pb', encodeTensor(tensor)));
const numbersOf = async (tensor: OnnxTensor): Promise<Scalar[]> =>
  fromBytes(tensor.type, elementCount(tensor.dims), await tensor.bytes());

/** Keys of a field and a length, a varint each: the length may be anything. */
function field(number: number, wire: number, length?: bigint): number[] {
  const key = [
    ...new Message()
      .int(0, 8 * number + wire)
      .encode()
      .subarray(1),
  ];
  return length === undefined ? key : [...key, ...new Message().int(0, length).encode().subarray(1)];
}

const small: ModelToEncode = {
  nodes: [node('Add', ['x', 'w'], ['y'], { flag: 1, list: [1, 2], text: 'a', number: { float: 0.5 } })],
  inputs: [['x', 'float', [2, 'n']]],
  outputs: [['y', 'float', [2, 'n']]],
  initializers: [floats('w', [2, 1], [1, 2])],
};

describe('a whole file', () => {
  it('is read as it was written', async () => {
    const { graph, opsets } = await openModel(small);
    expect(opsets.get('')).toBe(20);
    expect(graph.inputs).toEqual([{ name: 'x', type: { kind: 'tensor', type: 'float', dims: [2, 'n'] } }]);
    expect(graph.nodes[0]).toMatchObject({ op: 'Add', domain: '', inputs: ['x', 'w'], outputs: ['y'] });
    expect(Object.fromEntries(graph.nodes[0]!.attributes)).toEqual({
      flag: 1n,
      list: [1n, 2n],
      text: 'a',
      number: 0.5,
    });
    expect(await numbersOf(graph.initializers[0]!)).toEqual([1, 2]);
  });

  it('is refused where it is cut off, at any byte but between its fields', async () => {
    const bytes = encodeModel(small);
    // Fields of the model end here: irVersion, graph, and two operator sets. Cut there, a message is whole.
    const tail = bytes.length - encodeModel({ ...small, opset: undefined }).length;
    const first = new Message().message(8, new Message().text(1, '').int(2, 20)).encode().length;
    const whole = [bytes.length - tail + first];
    const opened: number[] = [];
    for (let end = 0; end < bytes.length; end++) {
      try {
        await open(bytes.slice(0, end));
        opened.push(end);
      } catch (error) {
        expect(error, `${end} bytes`).toMatchObject({ name: 'TilewrightError', code: 'invalid-file' });
      }
    }
    expect(opened).toEqual(whole);
  });

  it.each([
    ['longer than the file', 1_000_000n],
    ['negative', -1n],
    ['of 2^63', 1n << 63n],
    ['of 2^53', 1n << 53n],
  ])('is refused where a length is %s', async (_, length) => {
    for (const number of [7, 14, 99]) // the graph, metadata, a field that is not known
      await expectError(
        () => open(Uint8Array.from([8, 9, ...field(number, 2, length)])),
        'invalid-file',
        /promised|length of/,
      );
  });

  it('is refused where a length inside of it reaches beyond the message around', async () => {
    const graph = Uint8Array.from([...field(2, 2, 10n), 65]);
    await expectError(
      () => open(new Message().int(1, 9).bytes(7, graph).message(8, new Message().int(2, 20)).encode()),
      'invalid-file',
      /GraphProto\.name: 10 bytes are promised, 1 are there/,
    );
  });

  it('is refused where 100,000 messages are nested', async () => {
    // Each is a graph in an attribute in a node in a graph; lengths grow from the innermost out.
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let i = 0; i < 100_000; i++) {
      const head = Uint8Array.from(field([1, 6, 5][i % 3]!, 2, BigInt(size)));
      parts.push(head);
      size += head.length;
    }
    const bytes = new Uint8Array(
      Buffer.concat([Uint8Array.from([8, 9, ...field(7, 2, BigInt(size))]), ...parts.reverse()]),
    );
    await expectError(() => open(bytes), 'invalid-file', /nested deeper than 100 levels/);
  });

  it.each([
    ['a text that is a number', new Message().int(2, 5)],
    ['a number that is a text', new Message().text(1, 'x')],
    ['a graph that is a number', new Message().int(7, 5)],
    ['field 0', new Message().int(0, 5)],
    ['a text that is not UTF-8', new Message().bytes(2, Uint8Array.of(0xff, 0xfe))],
    ['a producer that is there twice', new Message().text(2, 'a').text(2, 'b')],
    ['a graph that is there twice', new Message().message(7, new Message()).message(7, new Message())],
  ])('is refused with %s', async (_, message) => {
    await expectError(() => open(message.encode()), 'invalid-file', /^m\.onnx: byte \d+: ModelProto/);
  });

  it('is refused with a group, and with a number of more than ten bytes', async () => {
    await expectError(() => open(Uint8Array.of(8, 9, ((99 << 3) % 128) | 3 | 128, 6)), 'invalid-file', /wire type 3/);
    await expectError(() => open(Uint8Array.of(8, ...Array(11).fill(255), 1)), 'invalid-file', /more than ten bytes/);
  });

  it('may have fields that are not known', async () => {
    const unknown = new Message().int(99, -1).text(98, 'x').float(97, 1).message(96, new Message().int(1, 1)).encode();
    const { graph } = await open(Uint8Array.from([...encodeModel(small), ...unknown]));
    expect(graph.nodes).toHaveLength(1);
  });

  it.each([
    ['no bytes', new Uint8Array(0), /no graph/],
    ['zeros', new Uint8Array(4096), /no field 0/],
    ['an HTML page', new TextEncoder().encode('<!doctype html><title>404</title>'), /got an HTML page/],
    ['a Git LFS pointer', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'), /Git LFS/],
    [
      'safetensors',
      encodeSafetensors([{ name: 'a', storedType: 'F32', shape: [1], bytes: new Uint8Array(4) }]),
      /got safetensors/,
    ],
    ["onnxruntime's format", new TextEncoder().encode('\x20\0\0\0ORTM and so on'), /\.ort/],
  ])('is refused where it is %s', async (_, bytes, message) => {
    await expectError(() => open(new Uint8Array(bytes)), 'invalid-file', message);
    await expectError(() => open(new Uint8Array(bytes), {}, 'm.ort'), 'invalid-file', message);
  });

  it('is found under the name .ort too', async () => {
    expect(await onnxOf(await openFolder({ 'm.ort': encodeModel(small) }))).toBe('m.ort');
  });

  it('is refused as safetensors', async () => {
    await expectError(() => openSafetensors(bytesSource('m.safetensors', encodeModel(small))), 'invalid-file');
  });

  it('is refused without a graph, an operator set, or the name of an op', async () => {
    await expectError(
      () => open(new Message().int(1, 9).message(8, new Message().int(2, 20)).encode()),
      'invalid-file',
      /no graph/,
    );
    await expectError(() => openModel({ ...small, opset: undefined }), 'invalid-file', /no operator set/);
    await expectError(() => openModel({ nodes: [node('', [], ['y'])] }), 'invalid-file', /names no op/);
  });

  it('is refused with sparse initialisers, and with an attribute twice or of no known type', async () => {
    const withGraph = (graph: Message) =>
      open(new Message().int(1, 9).message(7, graph).message(8, new Message().int(2, 20)).encode());
    await expectError(() => withGraph(new Message().message(15, new Message())), 'unsupported-type', /sparse/);
    const attribute = (type: number) => new Message().text(1, 'a').int(3, 1).int(20, type);
    const nodeWith = (...attributes: Message[]) =>
      new Message().message(
        1,
        attributes.reduce((made, one) => made.message(5, one), new Message().text(4, 'Relu')),
      );
    await expectError(() => withGraph(nodeWith(attribute(2), attribute(2))), 'invalid-file', /'a' twice/);
    await expectError(() => withGraph(nodeWith(attribute(77))), 'invalid-file', /type that is not known/);
  });

  it('has integers of 64 bits in attributes', async () => {
    const integers = [(1n << 62n) + 1n, -(1n << 63n), -1n];
    const { graph } = await openModel({ nodes: [node('Relu', ['x'], ['y'], { integers, one: integers[0]! })] });
    expect(graph.nodes[0]!.attributes.get('integers')).toEqual(integers);
    expect(graph.nodes[0]!.attributes.get('one')).toBe(integers[0]);
  });

  it('has lists packed, not packed, in both ways at once, and empty', async () => {
    const packed = (...values: number[]) =>
      Uint8Array.from(values.flatMap((value) => [...new Message().int(0, value).encode().subarray(1)]));
    const of = async (attribute: Message) => {
      const graph = new Message().message(1, new Message().text(4, 'Relu').message(5, attribute.text(1, 'a')));
      const { nodes } = (await open(new Message().message(7, graph).message(8, new Message().int(2, 20)).encode()))
        .graph;
      return nodes[0]!.attributes.get('a');
    };
    const ints = () => new Message().int(20, 7);
    expect(await of(ints().int(8, 1).int(8, 300))).toEqual([1n, 300n]);
    expect(await of(ints().bytes(8, packed(1, 300)))).toEqual([1n, 300n]);
    expect(await of(ints().bytes(8, packed(1, 300)).int(8, -2))).toEqual([1n, 300n, -2n]);
    expect(await of(ints().bytes(8, new Uint8Array(0)))).toEqual([]);
    const reals = () => new Message().int(20, 6);
    expect(
      await of(
        reals()
          .float(7, 0.5)
          .bytes(7, new Uint8Array(Float32Array.of(2, 3).buffer)),
      ),
    ).toEqual([0.5, 2, 3]);
    expect(await of(reals().bytes(7, new Uint8Array(0)))).toEqual([]);
    await expectError(() => of(reals().bytes(7, new Uint8Array(3))), 'invalid-file', /cut off/);
    await expectError(() => of(ints().bytes(8, Uint8Array.of(1, 128))), 'invalid-file', /cut off/);
  });

  it('is read alike in windows of any place: texts and lists that are larger than one', async () => {
    const text = 'é'.repeat(200_000);
    const integers = Array.from({ length: 200_000 }, (_, i) => BigInt(i * i - 7));
    const { graph } = await openModel({
      nodes: [node('Relu', ['x'], ['y'], { text, integers }), node('Relu', ['y'], ['z'])],
      initializers: [
        floats(
          'w',
          [300_000],
          Array.from({ length: 300_000 }, (_, i) => i),
        ),
      ],
      outputs: [['z', 'float']],
    });
    expect(graph.nodes[0]!.attributes.get('text')).toBe(text);
    expect(graph.nodes[0]!.attributes.get('integers')).toEqual(integers);
    expect((await numbersOf(graph.initializers[0]!))[299_999]).toBe(299_999);
    expect(graph.outputs[0]!.name).toBe('z');
  });
});

describe('a tensor', () => {
  const TYPED: readonly [OnnxType, TensorToEncode['field'], readonly (number | bigint)[], (readonly Scalar[])?][] = [
    ['float', 'float', [0.5, -1, 2]],
    ['double', 'double', [0.1, -1, 1e300]],
    ['int32', 'int32', [1, -2, 2 ** 31 - 1]],
    ['int8', 'int32', [1, -128, 127]],
    ['uint8', 'int32', [1, 0, 255]],
    ['int16', 'int32', [1, -32768, 32767]],
    ['uint16', 'int32', [1, 0, 65535]],
    ['bool', 'int32', [1, 0, 1]],
    ['float16', 'int32', [0x3c00, 0xc000, 0x3800], [1, -2, 0.5]],
    ['bfloat16', 'int32', [0x3f80, 0xc000, 0x3f00], [1, -2, 0.5]],
    ['int4', 'int32', [0x81, 0x07], [1, -8, 7]],
    ['uint4', 'int32', [0x81, 0x0f], [1, 8, 15]],
    ['int64', 'int64', [1n, -(1n << 63n), (1n << 62n) + 1n]],
    ['uint32', 'uint64', [1, 0, 2 ** 32 - 1]],
    ['uint64', 'uint64', [1n, 0n, (1n << 64n) - 1n]],
  ];

  it.each(TYPED)('of %s has its numbers in %s_data', async (type, data, values, expected = values) => {
    expect(await numbersOf(await openTensor({ type, dims: [3], field: data!, values }))).toEqual(expected);
    if (data !== 'double')
      expect(await numbersOf(await openTensor({ type, dims: [3], field: data!, values, packed: false }))).toEqual(
        expected,
      );
    for (const wrong of [values.slice(1), [...values, values[0]!]])
      await expectError(
        async () => numbersOf(await openTensor({ type, dims: [3], field: data!, values: wrong })),
        'invalid-file',
        /tensor ''/,
      );
  });

  it.each<[OnnxType, Uint8Array, readonly Scalar[]]>([
    ['float', new Uint8Array(Float32Array.of(1, 2, 3).buffer), [1, 2, 3]],
    ['int64', new Uint8Array(BigInt64Array.of(-1n, 2n, 3n).buffer), [-1n, 2n, 3n]],
    ['int4', Uint8Array.of(0x81, 0x07), [1, -8, 7]],
    ['bool', Uint8Array.of(1, 0, 7), [1, 0, 1]],
    ['float16', new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800).buffer), [1, -2, 0.5]],
  ])('of %s has its numbers in raw_data, of just its size', async (type, raw, expected) => {
    expect(await numbersOf(await openTensor({ type, dims: [3], raw }))).toEqual(expected);
    for (const size of [0, raw.length - 1, raw.length + 1]) {
      const other = new Uint8Array(size);
      await expectError(
        () => openTensor({ type, dims: [3], raw: other }),
        'invalid-file',
        /takes \d+ bytes, \d+ are there/,
      );
    }
  });

  it('of strings has as many as its dimensions say', async () => {
    expect(await (await openTensor({ type: 'string', dims: [2], texts: ['ä', ''] })).strings()).toEqual(['ä', '']);
    await expectError(() => openTensor({ type: 'string', dims: [3], texts: ['a'] }), 'invalid-file', /1 texts/);
  });

  it.each<[string, (number | bigint)[]]>([
    ['negative', [-1, 2]],
    ['beyond 2^53', [1n << 53n]],
    ['beyond 2^53 together', [1 << 30, 1 << 30]],
    ['as many as 2^63', [(1n << 63n) - 1n, 0]],
  ])('is refused with dimensions that are %s', async (_, dims) => {
    await expectError(
      () => openTensor({ type: 'float', dims, raw: new Uint8Array(8) }),
      'invalid-file',
      /dimensions \[/,
    );
  });

  it('is refused without memory for what its dimensions promise', async () => {
    for (const type of ['float', 'int8', 'int64', 'string', 'uint4'] as const)
      await expectError(
        async () => (await openTensor({ type, dims: [2 ** 40], field: 'int32', values: [1] })).bytes(),
        'invalid-file',
      );
  });

  it('is refused with a message of a few words, however many dimensions there are', async () => {
    const dims = Array.from({ length: 10_000 }, (_, i) => (i ? 1 : -1));
    const error = await openTensor({ type: 'float', dims }).catch((thrown: Error) => thrown);
    expect((error as Error).message).toMatch(/of 10000/);
    expect((error as Error).message.length).toBeLessThan(200);
  });

  it('may have no elements', async () => {
    for (const type of ['float', 'int8', 'int64'] as const)
      expect(await numbersOf(await openTensor({ type, dims: [3, 0] }))).toEqual([]);
  });

  it('is refused with a type that is not known, no type, and in segments', async () => {
    await expectError(() => openTensor({ type: 99, dims: [] }), 'invalid-file', /type 99/);
    await expectError(() => openTensor({ type: 0, dims: [] }), 'invalid-file', /no type/);
    const segment = tensorMessage(floats('a', [1], [1]))
      .message(3, new Message())
      .encode();
    await expectError(() => openOnnxTensor(bytesSource('t', segment)), 'invalid-file', /segments/);
  });
});

describe('external data', () => {
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const weights = (external: Record<string, string>, dims = [2]): ModelToEncode => ({
    initializers: [{ name: 'w', type: 'float', dims, external }],
  });
  const read = async (model: ModelToEncode, files: Record<string, Bytes>): Promise<Scalar[][]> => {
    const { initializers } = (await openModel(model, files)).graph;
    return Promise.all(initializers.map(numbersOf));
  };

  it('is read at its offset, from several files and folders', async () => {
    const initializers: TensorToEncode[] = [
      { name: 'a', type: 'float', dims: [2], external: { location: 'a.bin', offset: '8', length: '8' } },
      { name: 'b', type: 'float', dims: [4], external: { location: './sub/b.bin' } },
      { name: 'c', type: 'float', dims: [1], external: { location: 'a.bin', checksum: 'x' } },
      { name: 'd', type: 'float', dims: [0], external: { location: 'a.bin', offset: '16' } },
    ];
    expect(await read({ initializers }, { 'a.bin': data, 'sub/b.bin': data })).toEqual([[3, 4], [1, 2, 3, 4], [1], []]);
  });

  it('is streamed as it is read', async () => {
    const { graph } = await openModel(weights({ location: 'a.bin', offset: '4' }), { 'a.bin': data });
    expect(await bytesOf(graph.initializers[0]!.source!.chunks())).toEqual(data.slice(4, 12));
  });

  it.each([
    '../a.bin',
    'x/../../a.bin',
    'x/..',
    '..',
    '.',
    '',
    './',
    '/etc/passwd',
    '//host/a.bin',
    'C:\\a.bin',
    'C:a.bin',
    'file:///etc/passwd',
    'https://host/a.bin',
    '..\\a.bin',
    'x\\a.bin',
    'x//a.bin',
    'x/./a.bin',
    'a.bin/',
    'a.bin\0.txt',
  ])('is refused outside of the folder: %j', async (location) => {
    await expectError(
      () => openModel(weights({ location }), { 'a.bin': data }),
      'invalid-file',
      /names no file inside/,
    );
  });

  it('is refused beyond the end of its file, and where its numbers are none', async () => {
    const files = { 'a.bin': data };
    await expectError(() => read(weights({ location: 'a.bin', offset: '12' }), files), 'invalid-file', /which has 16/);
    await expectError(() => read(weights({ location: 'a.bin' }, [2 ** 40]), files), 'invalid-file', /which has 16/);
    for (const offset of ['-4', 'x', '1.5', '99999999999999999999'])
      await expectError(() => openModel(weights({ location: 'a.bin', offset }), files), 'invalid-file', /the offset/);
    for (const length of ['4', '12', '-8'])
      await expectError(() => openModel(weights({ location: 'a.bin', length }), files), 'invalid-file', /bytes|length/);
  });

  it('that is missing is told by name, and found once it is there', async () => {
    const { graph } = await openModel(weights({ location: 'b.bin' }), { 'a.bin': data });
    await expectError(() => graph.initializers[0]!.bytes(), 'not-found', /b\.bin/);
    let there = false;
    const folder = await openFolder({ 'm.onnx': encodeModel(weights({ location: 'a.bin' })), 'a.bin': data });
    const late = { ...folder, open: (name: string) => folder.open(there || name === 'm.onnx' ? name : 'none') };
    const { initializers } = (await openOnnx(late, 'm.onnx')).graph;
    await expectError(() => initializers[0]!.bytes(), 'not-found');
    there = true;
    expect(await numbersOf(initializers[0]!)).toEqual([1, 2]);
  });
});
