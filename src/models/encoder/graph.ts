import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Operand } from '../../graph/ir.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import { angleTables, type Frequencies } from '../decoder/rotary.ts';
import type { Packed } from '../packed.ts';
import { relativeBucket } from '../relative.ts';
import { gated, linear, type Norm, normalized } from '../transformer.ts';
import { GraphWeights } from '../weights.ts';
import type { EncoderFamily, EncoderLayer, EncoderRun, EncoderShape, Finish } from './shape.ts';

/** What hides a key: it is added to the score, and its weight is 0 then. Two of them are finite in float32. */
const HIDDEN = -6e4;

/** The input `mask` of texts of these lengths, [texts, tokens]: what is added to the scores of their tokens, and of the padding. */
export function maskOf(lengths: readonly number[], tokens: number): Float32Array {
  const mask = new Float32Array(lengths.length * tokens);
  for (const [row, length] of lengths.entries())
    mask.fill(HIDDEN, row * tokens + Math.max(1, length), (row + 1) * tokens);
  return mask;
}

/**
 * An encoder of texts, by the options of its family: BERT (Devlin et al. 2019) and what came of it. Inputs: `tokens`, uint32
 * [texts, tokens], each text padded at its end; `mask`, float32 [texts, tokens] as `maskOf` has it; where the run says so `types`. `finish`
 * gets the last hidden rows, [texts, tokens, width], in the type of the run.
 */
export function encoderGraph(family: EncoderFamily, run: EncoderRun, finish: Finish): Graph {
  return new EncoderGraph(family, run).whole(finish);
}

class EncoderGraph {
  readonly #b = new GraphBuilder();
  readonly #w: GraphWeights;
  readonly #heads: GraphWeights;
  readonly #shape: EncoderShape;
  /** What is added to scores, by the reach of a layer. */
  readonly #biases = new Map<number | undefined, Operand>();
  readonly #angles = new Map<Frequencies, { cos: Operand; sin: Operand; positions: Operand }>();

  constructor(
    { weights, shape }: EncoderFamily,
    private readonly run: EncoderRun,
  ) {
    this.#w = new GraphWeights(this.#b, weights, run.dataType);
    this.#heads = new GraphWeights(this.#b, weights.at(''), run.dataType);
    this.#shape = shape;
  }

  whole(finish: Finish): Graph {
    const b = this.#b;
    const { layers, names, width } = this.#shape;
    const { texts, tokens } = this.run;
    let x = this.#embedded();
    for (let i = 0; i < layers; i++) x = this.#layer(x, this.#shape.layer(i));
    const hidden = this.#normalized(x, names.norm);
    return b.outputs(finish(b, b.reshape(hidden, [texts, tokens, width]), this.#heads));
  }

  /** The rows [texts · tokens, width] of the tokens, with their positions and the kinds of their segments. */
  #embedded(): Operand {
    const b = this.#b;
    const { vocabulary, width, names, types, positions, narrow } = this.#shape;
    const { texts, tokens, typed } = this.run;
    const size = narrow?.width ?? width;
    const table = this.#w.get(`${names.table}.weight`, [vocabulary, size]);
    let x = b.gather(table, b.input('tokens', { dataType: 'uint32', shape: [texts, tokens] }), { label: names.table });
    let added: Operand | undefined;
    if (positions) {
      const rows = this.#w.get(`${positions.name}.weight`, [positions.rows, size]);
      added = b.slice(rows, [positions.first, 0], [tokens, size]);
    }
    if (types) {
      const rows = this.#w.get(`${types.name}.weight`, [types.count, size]);
      if (typed) x = b.add(x, b.gather(rows, b.input('types', { dataType: 'uint32', shape: [texts, tokens] })));
      else {
        const first = b.slice(rows, [0, 0], [1, size]);
        added = added ? b.add(added, first) : first;
      }
    }
    x = b.reshape(added ? b.add(x, added) : x, [texts * tokens, size]);
    x = this.#normalized(x, names.tableNorm);
    return narrow ? this.#linear(x, { name: narrow.name }, width, true) : x;
  }

  #layer(x: Operand, layer: EncoderLayer): Operand {
    const b = this.#b;
    const sums = this.#shape.normalized === 'sums';
    const [before, after] = sums ? [undefined, layer.attentionNorm] : [layer.attentionNorm, undefined];
    const between = this.#normalized(b.add(this.#attention(this.#normalized(x, before), layer), x), after);
    const [beforeMlp, afterMlp] = sums ? [undefined, layer.mlpNorm] : [layer.mlpNorm, undefined];
    return this.#normalized(b.add(this.#mlp(this.#normalized(between, beforeMlp), layer), between), afterMlp);
  }

  #attention(x: Operand, { qkv, output, rotary, reach }: EncoderLayer): Operand {
    const b = this.#b;
    const { heads, width, biases } = this.#shape;
    const { texts, tokens } = this.run;
    let rows = b.reshape(this.#linear(x, qkv, 3 * width, biases.qkv), [texts, tokens, 3 * width]);
    if (rotary) {
      const { cos, sin, positions } = this.#anglesOf(rotary);
      rows = b.rotaryEmbedding(rows, cos, sin, { positions, heads: 3 * heads, rotaryHeads: 2 * heads });
    }
    const attended = b.attention(rows, rows, rows, {
      ...{ heads, headSize: width / heads, columns: [0, width, 2 * width], bias: this.#bias(reach) },
      label: output,
    });
    return this.#linear(b.reshape(attended, [texts * tokens, width]), { name: output }, width, biases.output);
  }

  #mlp(x: Operand, { up, down }: EncoderLayer): Operand {
    const b = this.#b;
    const { inner, width, biases, gated: isGated, activation } = this.#shape;
    const product = this.#linear(x, { name: up }, isGated ? 2 * inner : inner, biases.mlp);
    const hidden = isGated ? gated(b, product, activation, up) : ACTIVATIONS[activation]!(b, product);
    return this.#linear(hidden, { name: down }, width, biases.mlp);
  }

  /** What is added to the scores: the padding is hidden, and what is beyond `reach`; how far apart two are may count. */
  #bias(reach: number | undefined): Operand {
    const b = this.#b;
    const { texts, tokens, dataType } = this.run;
    const far = reach === undefined || reach >= tokens - 1 ? undefined : reach;
    let bias = this.#biases.get(far);
    if (bias) return bias;
    if (far === undefined) {
      const mask = b.input('mask', { dataType: 'float32', shape: [texts, tokens] });
      bias = b.reshape(dataType === 'float32' ? mask : b.cast(mask, dataType), [texts, 1, 1, tokens]);
      const { relative } = this.#shape;
      if (relative) bias = b.add(this.#relative(relative), bias);
    } else {
      const local = Float32Array.from({ length: tokens * tokens }, (_, i) =>
        Math.abs((i % tokens) - Math.floor(i / tokens)) > far ? HIDDEN : 0,
      );
      const constant = b.constant({ dataType: 'float32', shape: [1, 1, tokens, tokens] }, local);
      bias = b.add(this.#bias(undefined), dataType === 'float32' ? constant : b.cast(constant, dataType));
    }
    this.#biases.set(far, bias);
    return bias;
  }

  /** By head, query and key, [1, heads, tokens, tokens]: computed once, at load. */
  #relative({ name, buckets, farthest }: NonNullable<EncoderShape['relative']>): Operand {
    const b = this.#b;
    const { heads } = this.#shape;
    const { tokens } = this.run;
    const table = this.#w.get(`${name}.weight`, [buckets, heads]);
    const places = Uint32Array.from({ length: tokens * tokens }, (_, i) =>
      relativeBucket((i % tokens) - Math.floor(i / tokens), buckets, farthest, true),
    );
    const rows = b.gather(table, b.constant({ dataType: 'uint32', shape: [tokens * tokens] }, places));
    return b.reshape(b.transpose(rows, { permutation: [1, 0] }), [1, heads, tokens, tokens]);
  }

  #anglesOf(rotary: Frequencies): { cos: Operand; sin: Operand; positions: Operand } {
    let angles = this.#angles.get(rotary);
    if (!angles) {
      const b = this.#b;
      const { tokens, dataType } = this.run;
      const { cos, sin } = angleTables(rotary, tokens);
      const onDevice = (data: Float32Array): Operand => {
        const constant = b.constant({ dataType: 'float32', shape: [tokens, rotary.steps.length] }, data);
        return dataType === 'float32' ? constant : b.cast(constant, dataType);
      };
      const all = Uint32Array.from({ length: tokens }, (_, i) => i);
      const positions = b.constant({ dataType: 'uint32', shape: [1, tokens] }, all);
      angles = { cos: onDevice(cos), sin: onDevice(sin), positions };
      this.#angles.set(rotary, angles);
    }
    return angles;
  }

  #linear(x: Operand, packed: Packed, out: number, bias: boolean): Operand {
    return linear(this.#w, x, packed, out, bias);
  }

  /** Over the last axis; as it is where there is no name. */
  #normalized(x: Operand, name: string | undefined): Operand {
    return normalized(this.#w, x, name, normOf(this.#shape));
  }
}

/** How rows are normalised, in layers and in heads. */
export const normOf = ({ epsilon, biases }: EncoderShape): Norm => ({ kind: 'layer', epsilon, bias: biases.norm });
