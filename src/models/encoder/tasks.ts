export const ENCODER_TASKS = [
  'feature-extraction',
  'text-classification',
  'token-classification',
  'question-answering',
  'fill-mask',
] as const;
/** What encoders of texts do. */
export type EncoderTask = (typeof ENCODER_TASKS)[number];
