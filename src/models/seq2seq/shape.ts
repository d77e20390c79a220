import type { Packed } from '../packed.ts';

/** The names of an attention's tensors, without `.weight` and `.bias`. */
export interface AttentionNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly norm: string;
}

/** The names of a block's tensors. A decoder's block has a cross-attention between its attention and its MLP. */
export interface BlockNames {
  readonly self: AttentionNames;
  readonly cross?: AttentionNames;
  /** What is activated, [inner, width]; of a gated MLP rows [gate, value], [2 · inner, width]. */
  readonly up: Packed;
  readonly down: string;
  readonly norm: string;
}

/** How a stack knows positions: rows of a table that are added, rows of sines and cosines, or T5's terms of the scores. */
export type Positions =
  /** Position p has row p + `offset` of the tensor. */
  | { readonly kind: 'table'; readonly name: string; readonly offset: number }
  | { readonly kind: 'sinusoidal' }
  /** The tensor is [buckets, heads]. Keys `distance` and more away share the last bucket. */
  | { readonly kind: 'relative'; readonly name: string; readonly buckets: number; readonly distance: number };

/** An encoder or a decoder. */
export interface StackShape {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  /** Between the products of an MLP. */
  readonly inner: number;
  /** Tokens, or states of the encoder, at the most. */
  readonly length: number;
  readonly positions: Positions;
  /** Of what the first block reads, and of what the last gives. */
  readonly norms: { readonly before?: string; readonly after?: string };
  block(index: number): BlockNames;
}

/** An encoder-decoder: all that a family's config says of its graphs. */
export interface Seq2SeqShape {
  readonly width: number;
  readonly vocabulary: number;
  readonly encoder: StackShape;
  readonly decoder: StackShape;
  /** Bands of a spectrogram, two frames a state, through the convolutions `conv1` and `conv2` of `prefix`; without it the encoder reads tokens. */
  readonly audio?: { readonly mels: number; readonly prefix: string };
  /** Blocks normalise what they read, or what they give. */
  readonly normFirst: boolean;
  /** `layer` has a mean and a bias. */
  readonly norm: 'rms' | 'layer';
  readonly epsilon: number;
  /** As ACTIVATIONS names it. */
  readonly activation: string;
  /** The activation of one half of an MLP's inner product is a factor of the other. */
  readonly gated: boolean;
  /** Products that have a bias. */
  readonly biases: { readonly key: boolean; readonly others: boolean };
  /** Of the scores: 1 / sqrt(headSize) where it is absent. */
  readonly scale?: number;
  /** Factors: of the table's rows, and of what the last product reads. */
  readonly embeddingScale: number;
  readonly headScale: number;
  /** The table of tokens, and other names that files may have it under. */
  readonly table: string;
  readonly copies: readonly string[];
  /** The last product's weight where it is not the table. */
  readonly head?: string;
  /** Is added to the logits. */
  readonly logitBias?: string;
}
