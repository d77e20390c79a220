import { describe, expect, it } from 'vitest';
import { openGguf } from '../../src/formats/gguf.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { floatsOf } from '../../src/tensor/blocks.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';
import { bytesOf } from './files.ts';

const fixture = (name: string): Promise<Uint8Array> => readAnywhere(repositoryFolder(`tests/fixtures/gguf/${name}`));

describe('a file of the package gguf', () => {
  it('says what it says', async () => {
    const { fields, tensors } = await openGguf(bytesSource('blocks.gguf', await fixture('blocks.gguf')));
    expect(Object.fromEntries(fields)).toMatchObject({
      'general.architecture': 'none',
      'some.u8': 255,
      'some.i8': -7,
      'some.u16': 65535,
      'some.i16': -300,
      'some.u32': 4294967295,
      'some.i32': -5,
      'some.u64': 2n ** 63n + 1n,
      'some.i64': -(2 ** 40),
      'some.f32': 0.5,
      'some.f64': 0.1,
      'some.bool': true,
      'some.text': '\u2581\u{1f600} text',
      'some.texts': ['a', '', '\u00e9'],
      'some.numbers': [1, -2, 3],
    });
    expect([...tensors.values()].map(({ name, typeName, shape }) => `${name} ${typeName}[${shape}]`)).toEqual([
      'f32 F32[3,5]',
      'f16 F16[2,1,7]',
      'bf16 BF16[1,9]',
      'q8_0.5x3 Q8_0[5,96]',
      'q8_0.1x1 Q8_0[1,32]',
      'q4_0.7x1 Q4_0[7,32]',
      'q4_0.3x5 Q4_0[3,160]',
      'q4_k.3x2 Q4_K[3,512]',
      'q4_k.1x1 Q4_K[1,256]',
      'q6_k.5x1 Q6_K[5,256]',
      'q6_k.2x3 Q6_K[2,768]',
      'last F32[3]',
    ]);
  });

  it('its blocks are the float32 of gguf.quants, to the last bit', async () => {
    const { tensors } = await openGguf(bytesSource('blocks.gguf', await fixture('blocks.gguf')));
    const expected = await parseTensors(await fixture('blocks.safetensors'));
    for (const [name, tensor] of tensors) {
      if (tensor.storedType !== 'F32') continue;
      const { data, shape } = expected.get(name)!;
      expect(tensor.shape, name).toEqual(shape);
      const bytes = await bytesOf(tensor.chunks());
      expect(new Uint32Array(bytes.buffer), name).toEqual(new Uint32Array(data.buffer));
      if (!tensor.blocks) continue;
      // Rows of it, and chunks that end within blocks.
      const rowBytes = 4 * shape.at(-1)!;
      const last = await bytesOf(tensor.chunks(undefined, bytes.length - rowBytes, bytes.length));
      expect(last, name).toEqual(bytes.slice(-rowBytes));
      const raw = await bytesOf(tensor.blocks.source.chunks());
      for (const size of [1, 7, 100, 1000]) {
        const cut = async function* () {
          for (let at = 0; at < raw.length; at += size) yield raw.slice(at, at + size);
        };
        expect(await bytesOf(floatsOf(tensor.blocks.type, cut())), `${name} by ${size}`).toEqual(bytes);
      }
    }
  });
});
