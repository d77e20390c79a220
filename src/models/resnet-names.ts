import { TilewrightError } from '../errors.ts';
import type { Weights } from './weights.ts';

interface Layer {
  readonly convolution: string;
  readonly normalization: string;
}

interface BlockNames {
  readonly name: string;
  convolution(index: number): string;
  normalization(index: number): string;
  readonly shortcut: Layer;
}

/** Names of the tensors of a ResNet in a published checkpoint. Stages, blocks and layers count from 0. */
export interface NamingScheme {
  readonly stem: Layer;
  block(stage: number, index: number): BlockNames;
  readonly classifier: string;
}

/** torchvision and timm: `layer1.0.conv1`, `layer2.0.downsample.0`; the classifier is `fc` (or `linear`, in CIFAR code). */
const torchvision = (classifier: string): NamingScheme => ({
  stem: { convolution: 'conv1', normalization: 'bn1' },
  block(stage, index) {
    const name = `layer${stage + 1}.${index}`;
    return {
      name,
      convolution: (c) => `${name}.conv${c + 1}`,
      normalization: (c) => `${name}.bn${c + 1}`,
      shortcut: { convolution: `${name}.downsample.0`, normalization: `${name}.downsample.1` },
    };
  },
  classifier,
});

/** Hugging Face's ResNetForImageClassification: `resnet.encoder.stages.0.layers.0.layer.0.convolution`. */
const huggingFace: NamingScheme = {
  stem: {
    convolution: 'resnet.embedder.embedder.convolution',
    normalization: 'resnet.embedder.embedder.normalization',
  },
  block(stage, index) {
    const name = `resnet.encoder.stages.${stage}.layers.${index}`;
    return {
      name,
      convolution: (c) => `${name}.layer.${c}.convolution`,
      normalization: (c) => `${name}.layer.${c}.normalization`,
      shortcut: { convolution: `${name}.shortcut.convolution`, normalization: `${name}.shortcut.normalization` },
    };
  },
  classifier: 'classifier.1',
};

/** The scheme whose stem the checkpoint has. Error: `unknown-architecture`. */
export function namingOf(weights: Weights): NamingScheme {
  if (weights.has(`${huggingFace.stem.convolution}.weight`)) return huggingFace;
  if (weights.has('conv1.weight') && weights.has('bn1.weight')) {
    const classifier = ['fc', 'linear', 'classifier', 'head'].find((name) => weights.has(`${name}.weight`));
    if (classifier) return torchvision(classifier);
    throw new TilewrightError(
      'missing-tensor',
      "the checkpoint has no classifier: no tensor 'fc.weight' or 'linear.weight'",
    );
  }
  throw new TilewrightError('unknown-architecture', 'the tensors are those of no ResNet that is known');
}
