import { describe, expect, it } from 'vitest';
import { openSafetensors, parseHeader } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { bytesOf, expectError, type fileOf, sourceOf, tensorJson } from './files.ts';

const four = new Uint8Array([1, 2, 3, 4]);
const open = (header: Parameters<typeof fileOf>[0], body?: Uint8Array<ArrayBuffer>) =>
  openSafetensors(sourceOf(header, body));

describe('openSafetensors reads', () => {
  it('tensors in the order of the file, with type, shape, place and bytes', async () => {
    const b = tensorJson({ shape: '[2,1]', offsets: '[4,12]' });
    const a = tensorJson({ dtype: 'U8', shape: '[4]' });
    const body = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
    const { tensors, byteLength, metadata } = await open(`{"b":${b},"__metadata__":{"format":"pt"},"a":${a}}`, body);
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(byteLength).toBe(12);
    expect([...metadata]).toEqual([['format', 'pt']]);
    const tensor = tensors.get('b')!;
    expect(tensor).toMatchObject({ name: 'b', storedType: 'F32', typeName: 'F32', shape: [2, 1], byteLength: 8 });
    expect(tensor.file).toBe('test.safetensors');
    expect(tensor.order - tensors.get('a')!.order).toBe(4);
    expect(await bytesOf(tensor.chunks())).toEqual(body.slice(4));
    expect(await bytesOf(tensor.chunks()), 'a second time').toEqual(body.slice(4));
  });

  it.each([
    ['names that objects hide', `{"__proto__":${tensorJson()}}`, '__proto__'],
    ['an empty name', `{"":${tensorJson()}}`, ''],
    ['escaped names', `{"\\u00e9\\n\\ud83d\\ude00":${tensorJson()}}`, 'é\n😀'],
    ['escaped fields', `{"a":${tensorJson({ dtype: 'F\\u00332' })}}`, 'a'],
    ['whitespace anywhere', `{ "a" :\r\n${tensorJson({ shape: '[ 1\t]' })} }  `, 'a'],
    ['extra fields of every kind', `{"a":${tensorJson({ extra: ',"x":[{"y":[]},-1.5e+3,true,null,"z"]' })}}`, 'a'],
    ['an empty tensor between', `{"a":${tensorJson()},"e":${tensorJson({ shape: '[0,7]', offsets: '[4,4]' })}}`, 'a'],
  ])('%s', async (_, header, name) => {
    const { tensors } = await open(header, four);
    expect(await bytesOf(tensors.get(name)!.chunks())).toEqual(four);
  });

  it.each([
    ['F4', '[2]', 1],
    ['F6_E2M3', '[4]', 3],
    ['F6_E3M2', '[4]', 3],
    ['F8_E5M2', '[4]', 4],
    ['F8_E4M3', '[4]', 4],
    ['F8_E8M0', '[4]', 4],
    ['F8_E4M3FNUZ', '[4]', 4],
    ['F8_E5M2FNUZ', '[4]', 4],
    ['C64', '[1]', 8],
  ])('lists the type %s and refuses its use', async (dtype, shape, bytes) => {
    const header = `{"w":${tensorJson({ dtype, shape, offsets: `[0,${bytes}]` })}}`;
    const tensor = (await open(header, new Uint8Array(bytes))).tensors.get('w')!;
    expect(tensor).toMatchObject({ typeName: dtype, byteLength: bytes });
    const named = new RegExp(`"w".*${dtype}`);
    await expectError(() => tensor.storedType, 'unsupported-type', named);
    await expectError(() => tensor.chunks(), 'unsupported-type', named);
  });
});

describe('openSafetensors refuses', () => {
  const one = (fields: Parameters<typeof tensorJson>[0]) => `{"a":${tensorJson(fields)}}`;
  const deep = (levels: number) => one({ extra: `,"x":${'['.repeat(levels)}${']'.repeat(levels)}` });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['a duplicate name of the same place', `{"a":${tensorJson()},"a":${tensorJson()}}`, /"a" stands twice/],
    ['a duplicate name, escaped', `{"a":${tensorJson()},"\\u0061":${tensorJson()}}`, /"a" stands twice/],
    ['a duplicate field', one({ extra: ',"dtype":"F32"' }), /"dtype" stands twice/],
    ['a duplicate metadata key', '{"__metadata__":{"k":"1","k":"2"}}', /"k" stands twice/],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', /"__metadata__" stands twice/],
    ['metadata of numbers', '{"__metadata__":{"k":1}}', /expected ", got "1"/],
    ['an empty header', '', /first byte, got nothing/],
    ['an array', '[]', /expected \{ as its first byte/],
    ['a leading space', ' {}', /first byte, got 32/],
    ['a byte order mark', '\ufeff{}', /first byte, got 239/],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ['a trailing comma', `{"a":${tensorJson()},}`, /expected ", got "}"/],
    ['something after the end', `{"a":${tensorJson()}} x`, /expected the end, got "x"/],
    ['an unfinished string', '{"a', /expected a closing ", got the end/],
    ['an unfinished escape', '{"a\\', /closing/],
    ['a control character', `{"\u0001":${tensorJson()}}`, /does not allow/],
    ['half a surrogate pair', `{"\\ud800":${tensorJson()}}`, /surrogate/],
    ['nesting of 128 levels', deep(126), /deeper than 127/],
    ['a tensor that is a number', '{"a":1}', /expected \{, got "1"/],
    ['a missing field', '{"a":{"dtype":"F32","shape":[1]}}', /"a" needs dtype, shape and data_offsets/],
    ['an unknown type', one({ dtype: 'F31' }), /"F31", which the format does not know/],
    ['a type named like a method', one({ dtype: 'toString' }), /does not know/],
    ['a float as a size', one({ shape: '[1.0]' }), /whole number/],
    ['an exponent as a size', one({ shape: '[1e0]' }), /whole number/],
    ['a leading zero', one({ shape: '[01]' }), /whole number/],
    ['a minus', one({ shape: '[-1]' }), /whole number from 0, got "-"/],
    ['a size past 2^53', one({ shape: '[9007199254740992]' }), /past 2\^53/],
    ['a product past 2^53', one({ shape: '[4294967296,4294967296]' }), /no whole, countable number/],
    ['half a byte', one({ dtype: 'F4', shape: '[3]', offsets: '[0,1]' }), /no whole, countable number/],
    ['three offsets', one({ offsets: '[0,4,4]' }), /must be \[begin, end\], got \[0,4,4\]/],
    ['one offset', one({ offsets: '[0]' }), /must be \[begin, end\]/],
    ['reversed offsets', one({ offsets: '[4,0]' }), /must be \[begin, end\]/],
    ['a size unlike its shape', one({ shape: '[2,3]' }), /"a" of F32\[2,3\] takes 24 bytes.*\[0,4\] span 4/],
    ['a hole at the start', one({ offsets: '[1,5]' }), /"a": expected to begin at byte 0 of the body, got 1: a hole/],
    ['an overlap', `{"a":${tensorJson()},"b":${tensorJson()}}`, /byte 4 of the body, got 0: an overlap/],
    [
      'an empty tensor inside another',
      `{"a":${tensorJson()},"e":${tensorJson({ shape: '[0]', offsets: '[2,2]' })}}`,
      /"e".*overlap/,
    ],
  ])('%s', async (_, header, message) => {
    await expectError(() => open(header, four), 'invalid-file', message);
  });

  it('allows nesting of 127 levels', async () => {
    expect((await open(deep(125), four)).tensors.size).toBe(1);
  });

  it('says how many bytes are missing or too many', async () => {
    const header = one({});
    await expectError(() => open(header, four.slice(1)), 'invalid-file', /a file of 66 bytes, got 65: it is cut short/);
    await expectError(() => open(header, new Uint8Array(5)), 'invalid-file', /bytes, got 67: bytes are left over/);
    await expectError(() => open('{}', four), 'invalid-file', /left over/);
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1', /Git LFS/],
    ['PK\u0003\u0004 and more of it', /PyTorch/],
    ['<!DOCTYPE html><html></html>', /HTML/],
    ['anything else at all', /not a safetensors file/],
  ])('%j, with a hint', async (text, hint) => {
    const opened = openSafetensors(bytesSource('a', new TextEncoder().encode(text)));
    const error = await opened.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-file', hint: expect.stringMatching(hint) });
  });

  it('a header as long as the file allows in no time: it is not fetched', async () => {
    const file = new Uint8Array(16);
    new DataView(file.buffer).setBigUint64(0, 100_000_000n, true);
    await expectError(() => openSafetensors(bytesSource('a', file)), 'invalid-file', /the file has 16 in all/);
    new DataView(file.buffer).setBigUint64(0, 100_000_001n, true);
    await expectError(() => openSafetensors(bytesSource('a', file)), 'invalid-file', /at most 100000000 bytes/);
  });
});

it('parseHeader takes the JSON alone and the size of the whole file', () => {
  const json = new TextEncoder().encode(`{"a":${tensorJson()}}`);
  const { entries } = parseHeader(json, 8 + json.length + 4, 'a');
  expect(entries.get('a')).toEqual({ name: 'a', type: 'F32', shape: [1], begin: 0, end: 4 });
});

describe('encodeSafetensors', () => {
  const tensor = (name: string, storedType: 'U8' | 'F64', count: number) => ({
    name,
    storedType,
    shape: [count],
    bytes: new Uint8Array(count * (storedType === 'U8' ? 1 : 8)).fill(count),
  });

  it('aligns every tensor and keeps the metadata', async () => {
    const file = encodeSafetensors([tensor('a', 'U8', 3), tensor('b', 'F64', 2)], { format: 'pt' });
    const { tensors, metadata } = await openSafetensors(bytesSource('a', file));
    expect([...tensors.keys()]).toEqual(['b', 'a']);
    expect(tensors.get('b')!.order % 8).toBe(0);
    expect([...metadata]).toEqual([['format', 'pt']]);
  });

  it('refuses names twice or reserved, and bytes unlike the shape', async () => {
    await expectError(() => encodeSafetensors([tensor('a', 'U8', 1), tensor('a', 'U8', 1)]), 'invalid-argument', /"a"/);
    await expectError(() => encodeSafetensors([tensor('__metadata__', 'U8', 1)]), 'invalid-argument');
    const short = { ...tensor('a', 'F64', 2), shape: [3] };
    await expectError(() => encodeSafetensors([short]), 'wrong-shape', /F64\[3\] takes 24 bytes, got 16/);
  });
});
