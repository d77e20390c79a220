import { describe, expect, it } from 'vitest';
import type { Checkpoint, CheckpointTensor } from '../../src/formats/safetensors.ts';
import { countersSince } from '../../src/gpu/counters.ts';
import { resnetGraph, shapeOf } from '../../src/models/resnet.ts';
import { namingOf } from '../../src/models/resnet-names.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { Weights } from '../../src/models/weights.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

/** A checkpoint of pseudo-random numbers: what matters here is how the engine runs it, not what comes out. */
function randomCheckpoint(shapes: Record<string, number[]>): Checkpoint {
  const tensors = Object.entries(shapes).map(([name, shape], order): [string, CheckpointTensor] => [
    name,
    {
      name,
      storedType: 'F32',
      typeName: 'F32',
      shape,
      order,
      file: 'random',
      byteLength: 4 * elementCount(shape),
      async *chunks() {
        const scale = name.endsWith('var') ? 0 : 2 / Math.sqrt(elementCount(shape.slice(1)));
        const values = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
          scale ? Math.sin(i * 1.7 + order) * scale : 1,
        );
        yield new Uint8Array(values.buffer);
      },
    },
  ]); // prettier-ignore
  const map = new Map(tensors);
  return {
    tensors: map,
    metadata: new Map(),
    byteLength: tensors.reduce((sum, [, { byteLength }]) => sum + byteLength, 0),
  };
}

function resnet18(): Checkpoint {
  const shapes: Record<string, number[]> = {};
  const norm = (name: string, channels: number): void => {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) shapes[`${name}.${part}`] = [channels];
  };
  const convolution = (conv: string, bn: string, out: number, channels: number, kernel: number): void => {
    shapes[`${conv}.weight`] = [out, channels, kernel, kernel];
    norm(bn, out);
  };
  convolution('conv1', 'bn1', 64, 3, 7);
  [64, 128, 256, 512].forEach((width, s) => {
    for (let b = 0; b < 2; b++) {
      const name = `layer${s + 1}.${b}`;
      const channels = b === 0 && s > 0 ? width / 2 : width;
      convolution(`${name}.conv1`, `${name}.bn1`, width, channels, 3);
      convolution(`${name}.conv2`, `${name}.bn2`, width, width, 3);
      if (channels !== width) convolution(`${name}.downsample.0`, `${name}.downsample.1`, width, channels, 1);
    }
  });
  shapes['fc.weight'] = [1000, 512];
  shapes['fc.bias'] = [1000];
  return randomCheckpoint(shapes);
}

describe('counters', () => {
  it('ResNet-18 at 224 × 224: one pass, one submit, 25 dispatches and 2 for each Winograd, nothing made per run', async () => {
    const engine = await testEngine();
    const weights = new Weights(resnet18());
    expect(weights.parameters).toBe(11_689_512 + 2 * 4800); // torchvision's count, and the running means and variances
    const names = namingOf(weights);
    const graph = resnetGraph(weights, names, shapeOf(weights, names), {
      dataType: 'float32',
      input: [224, 224],
      batch: 1,
      strideInFirst: false,
      strideInFirstStage: false,
      epsilon: 1e-5,
    }); // prettier-ignore
    using session = await engine.build(graph);
    const image = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i));
    await session.run({ image });
    const before = engine.counters;
    const { logits } = await session.run({ image });
    // Software adapters get the 13 convolutions of 3×3 at stride 1 by Winograd, three dispatches each.
    const winograd = engine.adapter.software ? 13 : 0;
    const { dispatches, passes, submits, bindGroups, pipelines, bytesRead } = countersSince(before, engine.counters);
    expect({ dispatches, passes, submits, bindGroups, pipelines, bytesRead }).toEqual({
      dispatches: 25 + 2 * winograd,
      passes: 1,
      submits: 1,
      bindGroups: 0,
      pipelines: 0,
      bytesRead: 4000,
    });
    expect(engine.counters.bytes).toBe(before.bytes);
    expect(Number.isFinite(logits![0])).toBe(true);
  });

  // Embeddings 3, the last normalisation, the logits, the token drawn from them; one more position goes up, one token comes back.
  it('GPT-2 decode: 8 dispatches a layer plus 6, nothing made and 4 bytes read a token', async () => {
    const engine = await testEngine();
    using model = (await engine.load(repositoryFolder('weights/gpt-shakespeare'))) as TextGenerator;
    const tokens = model.generate('ROMEO:\n', { temperature: 0, maxNewTokens: 16, stopTokens: [] });
    for (let n = 0; n < 4; n++) await tokens.next(); // as many runs are on their way as ever will be
    for (let n = 0; n < 3; n++) {
      const before = engine.counters;
      await tokens.next();
      const { bytes, peakBytes, ...rises } = countersSince(before, engine.counters);
      expect(rises).toEqual({
        dispatches: 8 * 6 + 6,
        passes: 1,
        submits: 1,
        bindGroups: 0,
        pipelines: 0,
        bytesUploaded: 4 + 16,
        bytesRead: 4,
      });
      expect(bytes).toBe(before.bytes);
    }
    await tokens.return();
  });
});
