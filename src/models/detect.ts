type Tensors = ReadonlyMap<string, unknown>;

/** The prefix under which the tensors lie: GPT2LMHeadModel saves `transformer.`, GPT2Model none. */
export const gpt2Prefix = (tensors: Tensors): string | undefined =>
  ['transformer.', ''].find(
    (prefix) => tensors.has(`${prefix}wte.weight`) && tensors.has(`${prefix}h.0.attn.c_attn.weight`),
  );

/** Whether these tensors look like a ResNet's, under Hugging Face's names or torchvision's. */
export const looksLikeResNet = (tensors: Tensors): boolean =>
  tensors.has('resnet.embedder.embedder.convolution.weight') ||
  (tensors.has('conv1.weight') && tensors.has('bn1.running_mean'));
