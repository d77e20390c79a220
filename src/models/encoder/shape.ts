import type { GraphBuilder } from '../../graph/builder.ts';
import type { GroupName } from '../../graph/groups/index.ts';
import type { Operand } from '../../graph/ir.ts';
import type { Config } from '../config.ts';
import type { Frequencies } from '../decoder/rotary.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { Packed } from '../packed.ts';
import type { TextShape } from '../text-family.ts';
import type { GraphWeights, Weights } from '../weights.ts';
import type { EncoderTask } from './tasks.ts';

/** The names of a layer's tensors, without `.weight` and `.bias`. */
export interface EncoderLayer {
  /** Query, key and value as one weight [3 · width, width]. */
  readonly qkv: Packed;
  readonly output: string;
  /** What is activated, [inner, width]; of a gated MLP rows [gate, value], [2 · inner, width]. */
  readonly up: string;
  readonly down: string;
  /** Normalisations: of the sum with what a block adds, or of what it reads (`normalized`). */
  readonly attentionNorm?: string | undefined;
  readonly mlpNorm?: string | undefined;
  /** How many tokens to each side a token sees. Undefined: all. */
  readonly reach?: number | undefined;
  readonly rotary?: Frequencies | undefined;
}

/** Rows of a learned table that are added to those of the tokens. */
export interface PositionTable {
  readonly name: string;
  /** The row of the first token. */
  readonly first: number;
  readonly rows: number;
}

/** What is added to all layers' scores, by how far the key is from the query: a table [buckets, heads] (Raffel et al. 2020). */
export interface RelativeTable {
  readonly name: string;
  readonly buckets: number;
  /** From here on all are in the last bucket of their side. */
  readonly farthest: number;
}

/** An encoder of text: all that a family's config says of its graph. */
export interface EncoderShape extends TextShape {
  readonly inner: number;
  /** As ACTIVATIONS names it. */
  readonly activation: string;
  readonly epsilon: number;
  /** `sums`: a block's input plus what it adds (Vaswani et al. 2017). `inputs`: what it reads. */
  readonly normalized: 'sums' | 'inputs';
  /** The activation of one half of an MLP's inner product is a factor of the other. */
  readonly gated: boolean;
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean; readonly norm: boolean };
  /** Kinds of segments: rows of the table `types`. Without it a pair of texts is told apart by what stands between them. */
  readonly types?: { readonly name: string; readonly count: number } | undefined;
  readonly positions?: PositionTable | undefined;
  readonly relative?: RelativeTable | undefined;
  /** The table's rows are this long, where a product widens them. */
  readonly narrow?: { readonly width: number; readonly name: string } | undefined;
  readonly names: {
    readonly table: string;
    /** Of the sum of what the tables give. */
    readonly tableNorm: string;
    /** Of what the last layer gives. */
    readonly norm?: string | undefined;
  };
  layer(index: number): EncoderLayer;
}

/** Rows that a head reads, and what it makes of them. */
export interface HeadStep {
  /** The name of a weight [out, in], without `.weight`. */
  readonly weight: string;
  /** The name of its bias [out]; none where absent. */
  readonly bias?: string | undefined;
  readonly activation?: string | undefined;
  readonly norm?: string | undefined;
}

/** What models with heads do. */
export type HeadTask = Exclude<EncoderTask, 'feature-extraction'>;

/** A folder's encoder: what its family makes of config and tensor names. Names of heads are whole: without the prefix of `weights`. */
export interface EncoderFamily {
  /** The config's `model_type`. */
  readonly architecture: string;
  readonly shape: EncoderShape;
  /** The tensors of the encoder. */
  readonly weights: Weights;
  readonly config: Config;
  readonly heads: Readonly<Record<HeadTask, readonly HeadStep[]>>;
  /** The rows by whose mean a text is classified: the first, or all. */
  readonly classifiedBy: 'first' | 'all';
}

/** A module of families of encoders. */
export interface EncoderModule {
  /** Groups of ops that its graphs have beside `text`. */
  readonly groups: readonly GroupName[];
  /** Errors: those of the config and of the tensors. */
  encoder(files: ModelFiles, options: LoadOptions): EncoderFamily;
}

/** What a task makes of the last hidden rows [texts, tokens, width]. */
export type Finish = (b: GraphBuilder, hidden: Operand, weights: GraphWeights) => Readonly<Record<string, Operand>>;

/** Texts and tokens of each, of one run. */
export interface EncoderRun {
  readonly dataType: 'float32' | 'float16';
  readonly texts: number;
  readonly tokens: number;
  /** Whether the run has an input `types`, uint32 [texts, tokens]. Else all are 0. */
  readonly typed: boolean;
}
