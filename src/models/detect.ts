type Tensors = ReadonlyMap<string, unknown>;

/** The prefix of the tensor names: GPT2LMHeadModel saves `transformer.`, GPT2Model none. Undefined for another model. */
export const gpt2Prefix = (tensors: Tensors): string | undefined =>
  ['transformer.', ''].find(
    (prefix) => tensors.has(`${prefix}wte.weight`) && tensors.has(`${prefix}h.0.attn.c_attn.weight`),
  );

/** Whether these tensors look like a ResNet's, under Hugging Face's names or torchvision's. */
export const looksLikeResNet = (tensors: Tensors): boolean =>
  tensors.has('resnet.embedder.embedder.convolution.weight') ||
  (tensors.has('conv1.weight') && tensors.has('bn1.running_mean'));

/**
 * The ResNets that models/resnet.ts computes, by `model_type` of transformers or `architecture` of timm; `_cifar` ends
 * ours.
 */
export const isResNet = (name: string): boolean =>
  /^((tv_)?(se)?resnet(8|14|18|20|26|32|34|44|50|56|101|110|152|200|1202)|resnet|wide_resnet(50|101)_2|(tv_)?(se)?resnext(26|50|101)_\d+x\d+d)(_cifar(100?)?)?$/.test(
    name,
  );
