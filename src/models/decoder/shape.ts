import type { Packed } from '../packed.ts';
import type { TextShape } from '../text-family.ts';
import type { Frequencies } from './rotary.ts';

/** The sizes of a decoder. */
export interface DecoderSizes extends TextShape {
  /** Heads of keys and values: several heads of the query share one. */
  readonly kvHeads: number;
  readonly headSize: number;
  /** Between the products of an MLP. */
  readonly inner: number;
}

/** What differs from layer to layer. */
export interface LayerKind {
  /** Keys that a query sees at the most. Undefined: all before it. */
  readonly window?: number | undefined;
  /** Undefined: this layer knows no positions. */
  readonly rotary?: Frequencies | undefined;
}

/** The names of a layer's tensors, without `.weight` and `.bias`. */
export interface LayerNames {
  /** Normalisations before attention and MLP, and of what they give. */
  readonly beforeAttention?: string;
  readonly afterAttention?: string;
  readonly beforeMlp?: string;
  readonly afterMlp?: string;
  /** Query, key and value as one weight [(heads + 2 kvHeads) · headSize, width]. */
  readonly qkv: Packed;
  /** Where queries and keys are normalised. */
  readonly norms?: { readonly query: string; readonly key: string };
  readonly output: string;
  /** What is activated, [inner, width]; of a gated MLP rows [gate, value], [2 · inner, width]. */
  readonly up: Packed;
  readonly down: string;
}

/** A decoder: all that a family's config says of its graph. */
export interface DecoderShape extends DecoderSizes {
  /** As ACTIVATIONS names it. */
  readonly activation: string;
  readonly epsilon: number;
  /** `layer` has a mean and a bias. */
  readonly norm: 'rms' | 'layer';
  /** Is added to the weights of normalisations. */
  readonly normOffset: number;
  /** Queries and keys are normalised by head, where they are turned too, or all heads as one row. */
  readonly queryNorm?: 'head' | 'row' | undefined;
  /** The activation of one half of an MLP's inner product is a factor of the other. */
  readonly gated: boolean;
  /** Attention and MLP read the same. */
  readonly parallel: boolean;
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Of the scores. */
  readonly scale: number;
  readonly softcap?: number | undefined;
  readonly logitSoftcap?: number | undefined;
  /** Factors: of the table's rows, of what a block adds, of the logits. */
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitScale: number;
  /** The last product's weight is the table of tokens. */
  readonly tied: boolean;
  readonly names: {
    /** Before the names of all tensors but `head`; a bare model has none. */
    readonly prefix: string;
    readonly table: string;
    readonly norm: string;
    readonly head: string;
    layer(index: number): LayerNames;
  };
  layer(index: number): LayerKind;
}
