import { describe, expect, it } from 'vitest';
import { openGguf } from '../../src/formats/gguf.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { loadingOps } from '../../src/graph/groups/index.ts';
import { type Folder, openFolder } from '../../src/hub/folder.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { unblocked } from '../../src/models/blocks.ts';
import { loadModel, openModel } from '../../src/models/index.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { BLOCKS } from '../../src/tensor/blocks.ts';
import { toHalf } from '../../src/tensor/half.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { createRandom } from '../../src/text/random.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';
import { encodeGguf, llamaFields, llamaTensors } from '../support/gguf.ts';

/** A model of tests/fixtures/decoders, the variant of its config that the file has, and the context for which it was computed. */
const MODELS = [
  ['llama', 'plain', 37],
  ['qwen2', 'whole', 37],
  ['gemma3', 'plain', 37],
  ['phi3', 'plain', 96],
] as const;

describe('GGUF files give the logits of transformers for the folders that they were made from', () => {
  it.each(MODELS)('%s', async (name, variant, context) => {
    const folder = repositoryFolder(`tests/fixtures/decoders/${name}`);
    const { ids, positions } = JSON.parse(new TextDecoder().decode(await readAnywhere(`${folder}/reference.json`))) as {
      ids: number[];
      positions: number[];
    };
    const expected = (await parseTensors(await readAnywhere(`${folder}/reference.safetensors`))).get(variant)!.data;
    // No tokens are drawn, so the graphs for that are not built.
    const { gpu } = await testEngine();
    const file = await openFolder(repositoryFolder(`tests/fixtures/gguf/${name}.gguf`));
    using model = (await loadModel(gpu, file, { onPaper: true, context })) as TextGenerator;
    const { vocabulary } = model.shape;
    const all = await model.logits(ids);
    const got = Float32Array.from(
      expected,
      (_, i) => all[positions[Math.floor(i / vocabulary)]! * vocabulary + (i % vocabulary)]!,
    );
    expect(normwise(got, expected)).toBeLessThan(5e-5); // as tests/models/decoders.gpu.test.ts has it
  });
});

describe('blocks on the device', () => {
  it('are the float32 of gguf.quants, to the last bit', async () => {
    const engine = await testEngine();
    const fixture = async (name: string) => readAnywhere(repositoryFolder(`tests/fixtures/gguf/${name}`));
    const { tensors } = await openGguf(bytesSource('blocks.gguf', await fixture('blocks.gguf')));
    const expected = await parseTensors(await fixture('blocks.safetensors'));
    const outputs = await loadingOps(() => {
      const blocks = [...tensors.values()].filter((tensor) => tensor.blocks);
      // A product by 1 in the graph: constants are no outputs.
      return Object.fromEntries(
        blocks.map((tensor) => {
          const b = engine.graph();
          const one = b.input('one', { dataType: 'float32', shape: [1] });
          return [tensor.name, b.outputs({ y: b.mul(unblocked(tensor, tensor.blocks!), one) })];
        }),
      );
    });
    expect(Object.keys(outputs)).toHaveLength(8);
    for (const [name, graph] of Object.entries(outputs)) {
      using session = await engine.build(graph);
      const { y } = await session.run({ one: new Float32Array([1]) });
      // 0 may have either sign: -0 times 1 is what a device makes of it.
      expect(
        (y as Float32Array).map((x) => x + 0),
        name,
      ).toEqual(expected.get(name)!.data.map((x) => x + 0));
    }
  });

  /** Q8_0 and Q4_0 by 32, one of them beside the other in a product; Q4_K and Q6_K by 256. */
  const KINDS = {
    'Q8_0 and Q4_0': [{ width: 32, inner: 64, layers: 1 }, [8, 2, 8, 8, 2, 8, 2, 8]],
    'Q4_K and Q6_K': [{ width: 256, inner: 256, layers: 1 }, [14, 12, 12, 14, 12, 12, 12, 14]],
  } as const;
  it.each(Object.entries(KINDS))(
    'a model of %s gives what the same numbers in float32 give',
    async (_, [sizes, types]) => {
      const matrices = ['token_embd', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
      const random = createRandom(5);
      const floats = llamaTensors((name, shape) => {
        const type = types[matrices.indexOf(name.replace(/^blk\.\d+\./, ''))];
        if (type === undefined)
          return {
            type: 0,
            bytes: new Uint8Array(Float32Array.from({ length: shape[0]! }, () => 1 + 0.1 * random()).buffer),
          };
        const { size, bytes: width } = BLOCKS[({ 2: 'Q4_0', 8: 'Q8_0', 12: 'Q4_K', 14: 'Q6_K' } as const)[type]];
        const bytes = Uint8Array.from({ length: (elementCount(shape) / size) * width }, () =>
          Math.floor(256 * random()),
        );
        // Scales of about what trained weights have.
        const scale = { 2: 0.02, 8: 0.001, 12: 0.0004, 14: 0.00003 }[type];
        for (let at = type === 14 ? 208 : 0; at < bytes.length; at += width)
          for (const place of type === 12 ? [at, at + 2] : [at])
            new DataView(bytes.buffer).setUint16(place, toHalf(scale * (0.5 + random())), true);
        return { type, bytes };
      }, sizes);
      const file = await openFolder(encodeGguf(llamaFields(sizes), floats));
      const { checkpoint, config } = await openModel(file);
      const written = await Promise.all(
        [...checkpoint.tensors.values()].map(async ({ name, shape, chunks }) => {
          const pieces: Uint8Array[] = [];
          for await (const chunk of chunks()) pieces.push(chunk.slice());
          const bytes = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
          return { name, storedType: 'F32' as const, shape, bytes };
        }),
      );
      const twin = await openFolder({
        'model.safetensors': encodeSafetensors(written),
        'config.json': new TextEncoder().encode(JSON.stringify(config)),
      });
      const { gpu } = await testEngine();
      const logits = async (folder: Folder): Promise<Float32Array> => {
        using model = (await loadModel(gpu, folder, { onPaper: true, context: 8 })) as TextGenerator;
        return await model.logits([7]);
      };
      const [got, expected] = [await logits(file), await logits(twin)];
      expect(expected.every(Number.isFinite)).toBe(true);
      expect(normwise(got, expected)).toBeLessThan(1e-5);
    },
  );
});
