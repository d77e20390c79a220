// What the layers of decoders do beside products, normalisations and attention: a line an op.
export { glu } from '../glu.ts';
export { rotaryCache } from '../rotary_cache.ts';
