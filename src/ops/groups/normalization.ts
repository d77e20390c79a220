// Normalisations by what is there at run time: a line an op.
export { instanceNormalization } from '../instance_normalization.ts';
export { rmsNormalization } from '../rms_normalization.ts';
