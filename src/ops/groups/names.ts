// biome-ignore-all format: written by tests/ops/groups.test.ts.
export const GROUPED: Readonly<Record<string, string>> = {
  image: 'batchNormalization conv2d averagePool2d maxPool2d',
  math: 'pow prelu equal notEqual greater greaterOrEqual lesser lesserOrEqual logicalAnd logicalOr logicalXor leakyRelu softplus elu hardSigmoid hardSwish abs sign ceil floor log sin cos tan softsign erf logicalNot where',
  movement: 'expand pad reverse slice transpose',
  normalization: 'instanceNormalization',
  pooling: 'l2Pool2d lpPool2d maxPool2dWithIndices',
  quantized: 'conv2dInteger matmulInteger narrow packInt4 dequantizeLinear quantizeLinear quantizeScales unpackInt4',
  reduce: 'reduceSum reduceMean reduceMax reduceMin reduceProduct reduceL1 reduceL2 reduceSumSquare reduceLogSum reduceLogSumExp argMax argMin softmax',
  select: 'concat gatherElements gatherND oneHot reverseSequence scatterElements scatterND split tile topK triangular',
  text: 'attention gather layerNormalization sample scatterRows',
  upsampling: 'convTranspose2d',
  winograd: 'winogradFilter winogradInput winogradOutput',
};
