// Positions as angles: a line an op.
export { rotaryEmbedding } from '../rotary_embedding.ts';
