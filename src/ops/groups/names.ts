// biome-ignore-all format: written by tests/ops/groups.test.ts.
export const GROUPED: Readonly<Record<string, string>> = {
  cumulative: 'cumulativeSum cumulativeProduct',
  image: 'batchNormalization conv2d averagePool2d maxPool2d',
  math: 'pow mod fmod prelu equal notEqual greater greaterOrEqual lesser lesserOrEqual logicalAnd logicalOr logicalXor bitwiseAnd bitwiseOr bitwiseXor shiftLeft shiftRight leakyRelu softplus elu hardSigmoid hardSwish swish abs sign ceil floor log sin cos tan softsign erf logicalNot roundEven isNaN isInfinite asin acos atan sinh cosh asinh acosh atanh bitwiseNot where',
  movement: 'expand pad reverse slice transpose',
  normalization: 'instanceNormalization rmsNormalization',
  pooling: 'l2Pool2d lpPool2d maxPool2dWithIndices',
  quantized: 'conv2dInteger matmulInteger narrow packInt4 dequantizeLinear quantizeLinear quantizeScales unpackInt4',
  recurrent: 'recurrence gru gruCell lstm lstmCell rnn',
  reduce: 'reduceSum reduceMean reduceMax reduceMin reduceProduct reduceL1 reduceL2 reduceSumSquare reduceLogSum reduceLogSumExp argMax argMin softmax',
  sampling: 'gridSample resample resample2d resize roiAlign',
  select: 'concat gatherElements gatherND oneHot reverseSequence scatterElements scatterND split tile topK triangular',
  text: 'attention gather layerNormalization sample scatterRows',
  upsampling: 'convTranspose2d',
  volumes: 'averagePool3d conv3d maxPool3d',
  winograd: 'winogradFilter winogradInput winogradOutput',
};
