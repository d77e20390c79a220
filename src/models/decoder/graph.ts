import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Operand } from '../../graph/ir.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import type { Packed } from '../packed.ts';
import { textOutputs } from '../sampled.ts';
import type { TextGraphOptions } from '../text-family.ts';
import { gated, linear, normalized } from '../transformer.ts';
import { GraphWeights, type Weights } from '../weights.ts';
import type { angleTables, Frequencies } from './rotary.ts';
import type { DecoderShape, LayerKind, LayerNames } from './shape.ts';

type Tables = ReturnType<typeof angleTables>;

/** Query, and the caches of keys and values; where each begins in its rows. */
interface Attended {
  readonly query: Operand;
  readonly key: Operand;
  readonly value: Operand;
  readonly columns: readonly [number, number, number];
}

/**
 * A decoder of text for a chunk of tokens, by the options of its family: Llama (Touvron et al. 2023) and what came of
 * it. Inputs and outputs are those of `gpt2Graph`: `tokens` and `positions`, uint32[tokens], to `logits`, or to `token`. Keys and
 * values of all positions are states, one [context, 2 · kvHeads · headSize] a layer, or two where they are normalised as rows.
 */
export class DecoderGraph {
  readonly #b = new GraphBuilder();
  readonly #w: GraphWeights;
  readonly #positions: Operand;
  /** Cosines and sines on the device, by frequencies. */
  readonly #angles = new Map<Frequencies, { cos: Operand; sin: Operand }>();

  private constructor(
    weights: Weights,
    private readonly shape: DecoderShape,
    private readonly tables: (frequencies: Frequencies) => Tables,
    private readonly options: TextGraphOptions,
  ) {
    this.#w = new GraphWeights(this.#b, weights, options.dataType);
    this.#positions = this.#b.input('positions', { dataType: 'uint32', shape: [options.tokens] });
  }

  /** Tables of angles are the same arrays for all graphs of a model, so that these share them on the device. */
  static of(
    weights: Weights,
    shape: DecoderShape,
    tables: (frequencies: Frequencies) => Tables,
    options: TextGraphOptions,
  ): Graph {
    return new DecoderGraph(weights, shape, tables, options).#whole(weights);
  }

  #whole(weights: Weights): Graph {
    const b = this.#b;
    const { layers, vocabulary, width, names, embeddingScale, logitScale, logitSoftcap, tied } = this.shape;
    const { tokens: count, predict, dataType } = this.options;
    const tokens = b.input('tokens', { dataType: 'uint32', shape: [count] });
    const table = this.#w.get(`${names.table}.weight`, [vocabulary, width]);
    let x = this.#times(b.gather(table, tokens, { label: names.table }), embeddingScale);
    for (let i = 0; i < layers; i++) x = this.#layer(x, i, names.layer(i), this.shape.layer(i));
    if (predict === 'last' && count > 1)
      x = b.gather(x, b.input('last', { dataType: 'uint32', shape: [1] }), { label: 'last' });
    const separate = weights.at('');
    // A file may have the head of a tied model too: that is the table once more.
    if (tied && separate.has(`${names.head}.weight`)) separate.get(`${names.head}.weight`, [vocabulary, width]);
    const head = tied
      ? table
      : new GraphWeights(b, separate, dataType).get(`${names.head}.weight`, [vocabulary, width]);
    let logits = b.matmul(this.#normalized(x, names.norm), head, { transposeB: true, label: names.head });
    logits = this.#times(logits, logitScale);
    if (logitSoftcap) logits = this.#times(b.tanh(this.#times(logits, 1 / logitSoftcap)), logitSoftcap);
    return textOutputs(b, logits, predict);
  }

  /** Attention and MLP, each added to what it read, or both to the same. */
  #layer(x: Operand, index: number, names: LayerNames, kind: LayerKind): Operand {
    const attended = this.#attention(this.#normalized(x, names.beforeAttention), index, names, kind);
    const between = this.shape.parallel ? x : this.#added(attended, names.afterAttention, x);
    const fed = this.#mlp(this.#normalized(between, names.beforeMlp), names);
    const after = this.#added(fed, names.afterMlp, between);
    return this.shape.parallel ? this.#added(attended, names.afterAttention, after) : after;
  }

  #added(made: Operand, norm: string | undefined, x: Operand): Operand {
    return this.#b.add(this.#times(this.#normalized(made, norm), this.shape.residualScale), x);
  }

  #attention(x: Operand, index: number, names: LayerNames, { window, rotary }: LayerKind): Operand {
    const { heads, kvHeads, headSize, scale, softcap, biases, width, queryNorm } = this.shape;
    const { query, key, value, columns } =
      queryNorm === 'row' ? this.#apart(x, index, names, rotary) : this.#together(x, index, names, rotary);
    const attended = this.#b.attention(query, key, value, {
      ...{ heads, kvHeads, headSize, scale, causal: true, positions: this.#positions, columns },
      ...(window && window < this.shape.context && { window }),
      ...(softcap && { softcap }),
      label: names.output,
    });
    return this.#linear(attended, { name: names.output }, width, biases.output);
  }

  /** Rows [query, key, value] of one product. The cache has the rest of a row, from the keys on. */
  #together(x: Operand, index: number, { qkv, norms }: LayerNames, rotary: Frequencies | undefined): Attended {
    const b = this.#b;
    const { heads, kvHeads, headSize, biases, epsilon } = this.shape;
    const [own, shared] = [heads * headSize, kvHeads * headSize];
    const rows = this.#linear(x, qkv, own + 2 * shared, biases.qkv);
    const attended = (query: Operand, cache: Operand): Attended => ({
      ...{ query, key: cache, value: cache },
      columns: [0, 0, shared],
    });
    const name = `${index}.kv`;
    if (!rotary) return attended(rows, this.#cached(name, rows, 2 * shared, own));
    const { cos, sin } = this.#anglesOf(rotary);
    const scaleOf = (norm: string): Operand => this.#scaleOf(norm, headSize);
    const [cache, query] = b.rotaryCache(this.#emptyCache(name, 2 * shared), rows, cos, sin, this.#positions, {
      ...{ heads, kvHeads, epsilon },
      ...(norms && { queryScale: scaleOf(norms.query), keyScale: scaleOf(norms.key) }),
      label: `cache.${name}`,
    });
    return attended(query, cache);
  }

  /** Queries and keys are normalised, each all heads as one row, before they are turned. */
  #apart(x: Operand, index: number, { qkv, norms }: LayerNames, rotary: Frequencies | undefined): Attended {
    const { heads, kvHeads, headSize, biases } = this.shape;
    const [q, k, v] = qkv.rows as readonly [Packed, Packed, Packed];
    const product = (packed: Packed, count: number): Operand => this.#linear(x, packed, count * headSize, biases.qkv);
    const turned = (packed: Packed, norm: string, count: number): Operand =>
      this.#turned(this.#normalized(product(packed, count), norm), count, rotary);
    const key = turned(k, norms!.key, kvHeads);
    const value = product(v, kvHeads);
    return {
      query: turned(q, norms!.query, heads),
      key: this.#cached(`${index}.k`, key, kvHeads * headSize, 0),
      value: this.#cached(`${index}.v`, value, kvHeads * headSize, 0),
      columns: [0, 0, 0],
    };
  }

  #emptyCache(name: string, width: number): Operand {
    return this.#b.state(`cache.${name}`, { dataType: this.options.dataType, shape: [this.shape.context, width] });
  }

  #cached(name: string, rows: Operand, width: number, column: number): Operand {
    const empty = this.#emptyCache(name, width);
    return this.#b.scatterRows(empty, rows, this.#positions, { column, label: `cache.${name}` });
  }

  /** Rows of heads, turned by their positions. */
  #turned(x: Operand, heads: number, rotary: Frequencies | undefined): Operand {
    if (!rotary) return x;
    const b = this.#b;
    const { tokens } = this.options;
    const { cos, sin } = this.#anglesOf(rotary);
    const turned = b.rotaryEmbedding(b.reshape(x, [1, ...x.shape]), cos, sin, {
      positions: b.reshape(this.#positions, [1, tokens]),
      heads,
      rotaryEmbeddingDim: 2 * rotary.steps.length,
    });
    return b.reshape(turned, x.shape);
  }

  #anglesOf(rotary: Frequencies): { cos: Operand; sin: Operand } {
    let angles = this.#angles.get(rotary);
    if (!angles) {
      const tables = this.tables(rotary);
      const shape = [this.shape.context, rotary.steps.length];
      const onDevice = (data: Float32Array): Operand => {
        const constant = this.#b.constant({ dataType: 'float32', shape }, data);
        return this.options.dataType === 'float32' ? constant : this.#b.cast(constant, this.options.dataType);
      };
      angles = { cos: onDevice(tables.cos), sin: onDevice(tables.sin) };
      this.#angles.set(rotary, angles);
    }
    return angles;
  }

  #mlp(x: Operand, { up, down }: LayerNames): Operand {
    const { inner, width, biases, gated: isGated, activation } = this.shape;
    const product = this.#linear(x, up, isGated ? 2 * inner : inner, biases.mlp);
    const hidden = isGated ? gated(this.#b, product, activation, up.name) : ACTIVATIONS[activation]!(this.#b, product);
    return this.#linear(hidden, { name: down }, width, biases.mlp);
  }

  #linear(x: Operand, packed: Packed, out: number, bias: boolean): Operand {
    return linear(this.#w, x, packed, out, bias);
  }

  /** Over the last axis; as it is where there is no name. */
  #normalized(x: Operand, name: string | undefined): Operand {
    const { epsilon, norm: kind } = this.shape;
    return normalized(this.#w, x, name, { kind, epsilon, bias: true }, (norm, size) => this.#scaleOf(norm, size));
  }

  /** The learned scale of a normalisation. */
  #scaleOf(name: string, size: number): Operand {
    const weight = this.#w.get(`${name}.weight`, [size]);
    const { normOffset } = this.shape;
    return normOffset ? this.#b.linear(weight, { beta: normOffset }) : weight;
  }

  #times(x: Operand, factor: number): Operand {
    return factor === 1 ? x : this.#b.linear(x, { alpha: factor });
  }
}
