/** What encoders of texts do. */
export type EncoderTask =
  | 'feature-extraction'
  | 'text-classification'
  | 'token-classification'
  | 'question-answering'
  | 'fill-mask';
