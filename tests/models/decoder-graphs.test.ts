import { describe, expect, it } from 'vitest';
import { loadOps } from '../../src/graph/groups/index.ts';
import {
  type ConstantOptions,
  type Graph,
  isConstant,
  isState,
  type NamedOptions,
  topological,
} from '../../src/graph/ir.ts';
import { openFolder } from '../../src/hub/folder.ts';
import '../../src/disk.ts';
import { familyModule } from '../../src/models/families/index.ts';
import { openModel } from '../../src/models/index.ts';
import { inMultiples } from '../../src/tensor/convert.ts';
import { elementCount, type TensorData } from '../../src/tensor/types.ts';
import { normwise } from '../../src/verify/compare.ts';
import { evaluate } from '../support/evaluate.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

/** Puts the numbers of the files where the constants name them, and zeros where states begin. */
async function numbersOf(graph: Graph): Promise<Record<string, TensorData>> {
  const states: Record<string, TensorData> = {};
  for (const node of topological(graph)) {
    if (isState(node)) states[(node.options as NamedOptions).name] = new Float32Array(elementCount(node.shape));
    if (!isConstant(node)) continue;
    const { source } = node.options as ConstantOptions;
    if (!source) continue;
    const bytes: number[] = [];
    for await (const chunk of inMultiples(source.chunks(), 4)) bytes.push(...chunk);
    const { buffer } = Uint8Array.from(bytes);
    Object.assign(node.options, {
      data: node.dataType === 'uint32' ? new Uint32Array(buffer) : new Float32Array(buffer),
    });
  }
  return states;
}

describe('graphs of decoders, computed by the references of their ops', () => {
  it.each(['llama', 'gemma3', 'phi3', 'gpt-neox', 'olmo2', 'granite'])(
    "%s gives transformers' logits",
    async (name) => {
      await loadOps();
      const folder = repositoryFolder(`tests/fixtures/decoders/${name}`);
      const files = await openModel(await openFolder(folder));
      const { ids, positions, variants } = JSON.parse(
        new TextDecoder().decode(await readAnywhere(`${folder}/reference.json`)),
      );
      const { family } = await familyModule(files);
      const model = family(files, variants.plain.context ? { context: variants.plain.context } : {});
      const graph = model.graph({ dataType: 'float32', tokens: ids.length, predict: 'all' });
      const states = await numbersOf(graph);
      const tokens = Uint32Array.from(ids);
      const { logits } = evaluate(graph, { ...states, tokens, positions: tokens.map((_, i) => i) });
      const expected = (await parseTensors(await readAnywhere(`${folder}/reference.safetensors`))).get('plain')!.data;
      const { vocabulary } = model.shape;
      const got = Float32Array.from(
        expected,
        (_, i) => logits!.data[positions[Math.floor(i / vocabulary)]! * vocabulary + (i % vocabulary)]!,
      );
      expect(normwise(got, expected)).toBeLessThan(5e-6);
    },
  );
});
