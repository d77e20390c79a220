import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Operand } from '../../graph/ir.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import type { Packed } from '../packed.ts';
import { textOutputs } from '../sampled.ts';
import type { TextGraphOptions } from '../text-family.ts';
import { gated, normalized } from '../transformer.ts';
import { GraphWeights, type Weights } from '../weights.ts';
import type { AttentionNames, BlockNames, Seq2SeqShape, StackShape } from './shape.ts';
import type { Tables } from './tables.ts';

type DataType = TextGraphOptions['dataType'];

/** The graph of an encoder. */
export interface EncoderOptions {
  readonly dataType: DataType;
  /** Tokens of a run. An encoder of audio has its own number of states. */
  readonly tokens: number;
  /** `hidden`: its last states, [tokens, width]. `cross`: the decoder's keys and values of them, which are states. */
  readonly give: 'hidden' | 'cross';
}

/** The graph of a decoder. */
export interface StepOptions {
  readonly dataType: DataType;
  /** Tokens of a run: 1 where there are several beams. */
  readonly tokens: number;
  /** Texts that are written at once, each with a cache of its own. */
  readonly beams?: number;
  /** What TextGraphOptions have, or `logits`: those of one token, the input `last` of a chunk, and of each beam. */
  readonly predict: TextGraphOptions['predict'] | 'logits';
}

/**
 * An encoder and a decoder (Vaswani et al. 2017), by the options of its family. Both graphs are on the same states: the encoder's writes `cross.i`,
 * [source, 2 · width], the keys and values of layer i of the decoder, and `cross.mask`, [1, source], what is added to their scores.
 *
 * Encoder: `tokens`, uint32[tokens], and `mask`, [source], or `features`, [2 · source, mels]. Decoder: as of a decoder of text; for several
 * beams `tokens`, uint32[beams], one of `positions`, and `parents`, uint32[beams]: the beams that these go on from.
 */
export class Seq2SeqGraph {
  readonly #b = new GraphBuilder();
  readonly #w: GraphWeights;

  private constructor(
    weights: Weights,
    private readonly shape: Seq2SeqShape,
    private readonly tables: Tables,
    private readonly dataType: DataType,
  ) {
    this.#w = new GraphWeights(this.#b, weights, dataType);
  }

  static encoder(weights: Weights, shape: Seq2SeqShape, tables: Tables, options: EncoderOptions): Graph {
    return new Seq2SeqGraph(weights, shape, tables, options.dataType).#encoder(options);
  }

  static decoder(weights: Weights, shape: Seq2SeqShape, tables: Tables, options: StepOptions): Graph {
    return new Seq2SeqGraph(weights, shape, tables, options.dataType).#decoder(options);
  }

  #encoder({ tokens, give }: EncoderOptions): Graph {
    const b = this.#b;
    const { encoder, audio } = this.shape;
    const count = audio ? encoder.length : tokens;
    const mask = audio ? undefined : b.input('mask', { dataType: this.dataType, shape: [1, encoder.length] });
    let x = audio ? this.#convolved(audio) : this.#embedded(b.input('tokens', { dataType: 'uint32', shape: [count] }));
    x = this.#placed(x, encoder, (table) => b.slice(table, [0, 0], [count, this.shape.width]));
    const bias = this.#encoderBias(mask, count);
    for (let i = 0; i < encoder.layers; i++) {
      const names = encoder.block(i);
      x = this.#around(x, names.self.norm, (read) => this.#attention(read, names.self, bias));
      x = this.#fed(x, names, encoder);
    }
    const hidden = this.#normalized(x, encoder.norms.after);
    return give === 'hidden' ? b.outputs({ hidden }) : b.outputs({ written: this.#crossed(hidden, mask) });
  }

  /** Keys and values of each layer of the decoder, onto states. Gives a number of each, since a graph is what its outputs depend on. */
  #crossed(hidden: Operand, mask: Operand | undefined): Operand {
    const b = this.#b;
    const { decoder, encoder, biases } = this.shape;
    const own = decoder.heads * decoder.headSize;
    const to = (name: string, rows: Operand, shape: number[]): Operand => {
      const count = rows.shape[0]!;
      const positions = b.constant({ dataType: 'uint32', shape: [count] }, this.tables.range(count));
      const state = b.state(name, { dataType: this.dataType, shape });
      return b.slice(b.scatterRows(state, rows, positions, { label: name }), [0, 0], [1, 1]);
    };
    const written = Array.from({ length: decoder.layers }, (_, i) => {
      const { key, value, output } = decoder.block(i).cross!;
      const rows = this.#linear(hidden, packed(output, 'kv', key, value), own, [biases.key, biases.others]);
      return to(`cross.${i}`, rows, [encoder.length, 2 * own]);
    });
    if (mask) written.push(to('cross.mask', mask, [1, encoder.length]));
    return b.concat(written, 0);
  }

  #decoder({ tokens: count, beams = 1, predict }: StepOptions): Graph {
    const b = this.#b;
    const { decoder, encoder, audio } = this.shape;
    const tokens = b.input('tokens', { dataType: 'uint32', shape: [count * beams] });
    const positions = b.input('positions', { dataType: 'uint32', shape: [count] });
    const parents = beams > 1 ? b.input('parents', { dataType: 'uint32', shape: [beams] }) : undefined;
    let x = this.#placed(this.#embedded(tokens), decoder, (table) => b.gather(table, positions));
    const bias = this.#decoderBias(positions);
    const hidden = audio ? undefined : b.state('cross.mask', { dataType: this.dataType, shape: [1, encoder.length] });
    const mask = hidden && b.reshape(hidden, [1, 1, 1, encoder.length]);
    for (let i = 0; i < decoder.layers; i++) {
      const names = decoder.block(i);
      const cross = names.cross!;
      const at = { index: i, positions, parents, bias };
      x = this.#around(x, names.self.norm, (read) => this.#cachedAttention(read, names.self, at));
      x = this.#around(x, cross.norm, (read) => this.#crossAttention(read, cross, i, mask));
      x = this.#fed(x, names, decoder);
    }
    if (count > 1 && (predict === 'last' || predict === 'logits'))
      x = b.gather(x, b.input('last', { dataType: 'uint32', shape: [1] }), { label: 'last' });
    const logits = this.#logits(this.#normalized(x, decoder.norms.after));
    return textOutputs(b, logits, predict === 'logits' ? 'all' : predict);
  }

  #embedded(tokens: Operand): Operand {
    const { table, embeddingScale } = this.shape;
    return this.#times(this.#b.gather(this.#table(), tokens, { label: table }), embeddingScale);
  }

  #table(): Operand {
    const { table, copies, vocabulary, width } = this.shape;
    const { weights } = this.#w;
    for (const name of copies) if (weights.has(`${name}.weight`)) weights.get(`${name}.weight`, [vocabulary, width]);
    return this.#w.get(`${table}.weight`, [vocabulary, width]);
  }

  #logits(x: Operand): Operand {
    const b = this.#b;
    const { vocabulary, width, head, table, headScale, logitBias } = this.shape;
    const weight = head ? this.#w.get(`${head}.weight`, [vocabulary, width]) : this.#table();
    const logits = b.matmul(this.#times(x, headScale), weight, { transposeB: true, label: head ?? `${table} as head` });
    return logitBias ? b.add(logits, this.#w.get(logitBias, [1, vocabulary])) : logits;
  }

  /** A spectrogram [2 · states, mels] to states [states, width]. */
  #convolved({ mels, prefix }: NonNullable<Seq2SeqShape['audio']>): Operand {
    const b = this.#b;
    const { width, encoder, activation } = this.shape;
    const shape = [1, 1, 2 * encoder.length, mels];
    const given = b.input('features', { dataType: 'float32', shape });
    let x = this.dataType === 'float32' ? given : b.cast(given, this.dataType);
    for (const [name, stride, channels] of [
      ['conv1', 1, mels],
      ['conv2', 2, width],
    ] as const) {
      const filter = this.#w.get(`${prefix}${name}.weight`, [width, channels, 3]);
      const bias = this.#w.get(`${prefix}${name}.bias`, [width]);
      const how = { padding: [0, 0, 1, 1], strides: [1, stride], inputLayout: 'nhwc' } as const;
      x = b.conv2d(x, b.reshape(filter, [width, channels, 1, 3]), { ...how, bias, label: `${prefix}${name}` });
      x = ACTIVATIONS[activation]!(b, x);
    }
    return b.reshape(x, [encoder.length, width]);
  }

  /** What a block reads first: tokens or frames, and where they stand. `rows` takes those of a table. */
  #placed(x: Operand, { positions, norms, length }: StackShape, rows: (table: Operand) => Operand): Operand {
    const b = this.#b;
    const { width } = this.shape;
    let table: Operand | undefined;
    if (positions.kind === 'table') {
      const { name, offset } = positions;
      const whole = this.#w.get(`${name}.weight`, [-1, width]);
      table = offset || whole.shape[0] !== length ? b.slice(whole, [offset, 0], [length, width]) : whole;
    } else if (positions.kind === 'sinusoidal') {
      const waves = b.constant({ dataType: 'float32', shape: [length, width] }, this.tables.waves(length, width));
      table = this.dataType === 'float32' ? waves : b.cast(waves, this.dataType);
    }
    return this.#normalized(table ? b.add(x, rows(table)) : x, norms.before);
  }

  /** T5's terms for each query and key, [queries, keys, heads], and rows of heads of that. */
  #relative({ positions, heads, length }: StackShape, count: number, both: boolean): Operand | undefined {
    if (positions.kind !== 'relative') return undefined;
    const { name, buckets, distance } = positions;
    const table = this.#w.get(`${name}.weight`, [buckets, heads]);
    const indices = this.tables.buckets(Math.min(count, length), both, buckets, distance);
    return this.#b.gather(table, this.#b.constant({ dataType: 'uint32', shape: [count, count] }, indices));
  }

  #encoderBias(mask: Operand | undefined, count: number): Operand | undefined {
    const b = this.#b;
    const { encoder } = this.shape;
    const shown = mask && b.reshape(b.slice(mask, [0, 0], [1, count]), [1, 1, 1, count]);
    const terms = this.#relative(encoder, count, true);
    if (!terms) return shown;
    const relative = b.reshape(b.transpose(terms, { permutation: [2, 0, 1] }), [1, encoder.heads, count, count]);
    return shown ? b.add(relative, shown) : relative;
  }

  #decoderBias(positions: Operand): Operand | undefined {
    const b = this.#b;
    const { heads, length } = this.shape.decoder;
    const terms = this.#relative(this.shape.decoder, length, false);
    if (!terms) return undefined;
    const byQuery = b.reshape(b.transpose(terms, { permutation: [0, 2, 1] }), [length, heads * length]);
    const count = positions.shape[0]!;
    const rows = b.reshape(b.gather(byQuery, positions), [1, count, heads, length]);
    return count === 1 ? b.reshape(rows, [1, heads, 1, length]) : b.transpose(rows, { permutation: [0, 2, 1, 3] });
  }

  /** What a part of a block does, added to what it read. */
  #around(x: Operand, norm: string, part: (x: Operand) => Operand): Operand {
    const { normFirst } = this.shape;
    const made = this.#b.add(part(normFirst ? this.#normalized(x, norm) : x), x);
    return normFirst ? made : this.#normalized(made, norm);
  }

  #attention(x: Operand, names: AttentionNames, bias: Operand | undefined): Operand {
    const { heads, headSize } = this.shape.encoder;
    const own = heads * headSize;
    const rows = this.#qkv(x, names, own);
    const how = { ...this.#scores(heads, headSize), columns: [0, own, 2 * own] } as const;
    const attended = this.#b.attention(rows, rows, rows, { ...how, ...(bias && { bias }), label: names.output });
    return this.#output(attended, names);
  }

  #qkv(x: Operand, { query, key, value, output }: AttentionNames, own: number): Operand {
    const { biases } = this.shape;
    return this.#linear(x, packed(output, 'qkv', query, key, value), own, [biases.others, biases.key, biases.others]);
  }

  #scores(heads: number, headSize: number): { heads: number; headSize: number; scale: number } {
    return { heads, headSize, scale: this.shape.scale ?? 1 / Math.sqrt(headSize) };
  }

  #output(attended: Operand, { output }: AttentionNames): Operand {
    return this.#linear(attended, { name: output }, this.shape.width);
  }

  #cachedAttention(
    x: Operand,
    names: AttentionNames,
    {
      index,
      positions,
      parents,
      bias,
    }: {
      index: number;
      positions: Operand;
      parents: Operand | undefined;
      bias: Operand | undefined;
    },
  ): Operand {
    const b = this.#b;
    const { dataType } = this;
    const { heads, headSize, length } = this.shape.decoder;
    const own = heads * headSize;
    const rows = this.#qkv(x, names, own);
    const how = {
      ...this.#scores(heads, headSize),
      causal: true,
      positions,
      columns: [0, 0, own],
      label: names.output,
    } as const;
    const options = { ...how, ...(bias && { bias }) };
    const label = `cache.${index}`;
    if (!parents) {
      const empty = b.state(label, { dataType, shape: [length, 2 * own] });
      const cache = b.scatterRows(empty, rows, positions, { column: own, label });
      return this.#output(b.attention(rows, cache, cache, options), names);
    }
    // Each beam goes on with the cache of its parent.
    const beams = parents.shape[0]!;
    const before = b.state(`${label}.${beams}`, { dataType, shape: [beams, length * 2 * own] });
    const each = b.constant({ dataType: 'uint32', shape: [beams] }, this.tables.range(beams));
    const moved = b.scatterRows(before, b.gather(before, parents), each, { label });
    const query = b.reshape(rows, [beams, 1, 3 * own]);
    const cache = b.scatterRows(b.reshape(moved, [beams, length, 2 * own]), query, positions, { column: own, label });
    return this.#output(b.reshape(b.attention(query, cache, cache, options), [beams, own]), names);
  }

  #crossAttention(x: Operand, names: AttentionNames, index: number, mask: Operand | undefined): Operand {
    const b = this.#b;
    const { encoder, decoder } = this.shape;
    const { heads, headSize } = decoder;
    const own = heads * headSize;
    const rows = b.state(`cross.${index}`, { dataType: this.dataType, shape: [encoder.length, 2 * own] });
    const query = this.#linear(x, { name: names.query }, own);
    const how = { ...this.#scores(heads, headSize), columns: [0, 0, own], label: names.output } as const;
    return this.#output(b.attention(query, rows, rows, { ...how, ...(mask && { bias: mask }) }), names);
  }

  #fed(x: Operand, { up, down, norm }: BlockNames, { inner }: StackShape): Operand {
    const b = this.#b;
    const { gated: isGated, activation, width, biases } = this.shape;
    return this.#around(x, norm, (read) => {
      const product = this.#product(read, up, isGated ? 2 * inner : inner);
      const rows = biases.others ? b.add(product, this.#w.packed(up, '.bias', [inner])) : product;
      const hidden = isGated ? gated(b, rows, activation, up.name) : ACTIVATIONS[activation]!(b, rows);
      return this.#linear(hidden, { name: down }, width);
    });
  }

  #product(x: Operand, weight: Packed, out: number): Operand {
    const matrix = this.#w.packed(weight, '.weight', [out, x.shape.at(-1)!]);
    return this.#b.matmul(x, matrix, { transposeB: true, label: weight.name });
  }

  /** A product of parts of `own` columns each, of which some have a bias. */
  #linear(x: Operand, weight: Packed, own: number, biased: readonly boolean[] = [this.shape.biases.others]): Operand {
    const b = this.#b;
    const y = this.#product(x, weight, biased.length * own);
    if (!biased.includes(true)) return y;
    if (!biased.includes(false)) return b.add(y, this.#w.packed(weight, '.bias', [biased.length * own]));
    const zeros = b.constant({ dataType: 'float32', shape: [own] }, this.tables.zeros(own));
    const none = this.dataType === 'float32' ? zeros : b.cast(zeros, this.dataType);
    const each = weight.rows!.map(({ name }, i) => (biased[i] ? this.#w.get(`${name}.bias`, [own]) : none));
    return b.add(y, b.concat(each, 0));
  }

  /** Over the last axis; as it is where there is no name. */
  #normalized(x: Operand, name: string | undefined): Operand {
    const { norm: kind, epsilon } = this.shape;
    return normalized(this.#w, x, name, { kind, epsilon, bias: true });
  }

  #times(x: Operand, factor: number): Operand {
    return factor === 1 ? x : this.#b.linear(x, { alpha: factor });
  }
}

/** Rows of several tensors as one weight, named beside the attention's output. */
const packed = (output: string, name: string, ...rows: string[]): Packed => ({
  name: output.replace(/[^.]*$/, name),
  rows: rows.map((name) => ({ name })),
});
