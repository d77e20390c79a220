import { TilewrightError } from '../errors.ts';
import type { Checkpoint, CheckpointTensor } from '../formats/safetensors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import { unblocked } from './blocks.ts';
import { type Packed, packedTensor } from './packed.ts';

/**
 * Tensors that change no result: running counts, masks and tables of positions, scales that were measured
 * (models/calibration.ts).
 */
const IDLE = /(^|\.)(num_batches_tracked|(attn|attention)\.(masked_)?bias|position_ids|inv_freq|input_scale)$/;

/** The tensors of a checkpoint under their published names, checked as they are asked for. */
export class Weights {
  constructor(
    readonly checkpoint: Checkpoint,
    /** Put before every name: `transformer.` where the file has it. */
    readonly prefix = '',
    private readonly taken = new Set<string>(),
    private readonly made = new Map<string, CheckpointTensor>(),
  ) {}

  /** The same tensors, under another prefix. */
  at(prefix: string): Weights {
    return new Weights(this.checkpoint, prefix, this.taken, this.made);
  }

  /**
   * Call after a graph has taken its tensors. `others` are known, and of no use here: heads of other tasks. Error: `unused-tensor` where
   * tensors are left that would change a result.
   */
  needAllTaken(others?: RegExp): void {
    const left = [...this.checkpoint.tensors.keys()].filter(
      (name) => !this.taken.has(name) && !IDLE.test(name) && !others?.test(name),
    );
    if (!left.length) return;
    const some = left.length > 5 ? `${left.slice(0, 5).join(', ')} and ${left.length - 5} more` : left.join(', ');
    throw new TilewrightError('unused-tensor', `no layer takes ${some}: the architecture is another`, {
      hint: 'Where they are no part of the model, load with { allowUnused: true }.',
    });
  }

  has(name: string): boolean {
    return this.checkpoint.tensors.has(this.prefix + name);
  }

  /** The tensor, of this shape where one is expected (-1: any length). Errors: `missing-tensor`, `wrong-shape`. */
  get(name: string, expected?: readonly number[]): CheckpointTensor {
    const full = this.prefix + name;
    const wanted = expected && `[${expected.map((size) => (size < 0 ? '*' : size)).join(',')}]`;
    const tensor = this.checkpoint.tensors.get(full) ?? this.made.get(full);
    this.taken.add(full);
    if (!tensor) {
      throw new TilewrightError(
        'missing-tensor',
        `the checkpoint has no tensor '${full}'${wanted ? `, expected one of ${wanted}` : ''}`,
      );
    }
    const fits = (): boolean =>
      sameShape(
        tensor.shape,
        expected!.map((size, d) => (size < 0 ? tensor.shape[d]! : size)),
      );
    if (expected && !fits()) {
      throw new TilewrightError(
        'wrong-shape',
        `tensor '${full}': expected ${wanted}, got ${formatShape(tensor.shape)}`,
      );
    }
    return tensor;
  }

  /** Makes `NAME + ending` of rows of others, where the file has it not; `get` then finds it. Errors: as of `get`. */
  pack({ name, rows }: Packed, ending: string): string {
    const own = name + ending;
    if (this.has(own) || !rows?.length) return own;
    const parts = rows.map(({ name, from = 0, count }) => {
      const tensor = this.get(name + ending);
      return { tensor, from, count: count ?? (tensor.shape[0] ?? 0) - from };
    });
    const full = this.prefix + own;
    if (!this.made.has(full)) this.made.set(full, packedTensor(full, parts));
    return own;
  }

  shape(name: string): readonly number[] {
    return this.get(name).shape;
  }

  /** How many blocks `name(0)`, `name(1)`, ... there are. */
  count(name: (index: number) => string): number {
    let count = 0;
    while (this.has(name(count))) count++;
    return count;
  }

  /** Elements of all tensors that were trained: running statistics, counts, masks and scales are none. */
  get parameters(): number {
    const counted = [...this.checkpoint.tensors.values()].filter(
      ({ name }) => !IDLE.test(name) && !/(_scale|(^|\.)running_(mean|var))$/.test(name),
    );
    return counted.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  }
}

/** Tensors as constants of one graph, each made once, in the type of the model's activations. */
export class GraphWeights {
  readonly #operands = new Map<string, Operand>();

  constructor(
    readonly builder: GraphBuilder,
    readonly weights: Weights,
    readonly dataType: 'float32' | 'float16',
  ) {}

  get(name: string, expected?: readonly number[]): Operand {
    let operand = this.#operands.get(name);
    if (!operand) {
      const stored = this.#stored(name, expected);
      operand = stored.dataType === this.dataType ? stored : this.builder.cast(stored, this.dataType);
      this.#operands.set(name, operand);
    }
    return operand;
  }

  /** The tensor of the file. int8 is scaled back by the tensor `NAME_scale`. */
  #stored(name: string, expected?: readonly number[]): Operand {
    const tensor = this.weights.get(name, expected);
    if (tensor.blocks) return unblocked(tensor, tensor.blocks);
    const stored = this.builder.constant(tensor);
    if (stored.dataType !== 'int8') return stored;
    return this.builder.dequantizeLinear(stored, this.builder.constant(this.weights.get(`${name}_scale`)));
  }

  /** A tensor that may be rows of others: int8 with the same rows of its scales. */
  packed(packed: Packed, ending: string, expected: readonly number[]): Operand {
    const name = this.weights.pack(packed, ending);
    const scales = [packed, ...(packed.rows ?? [])].some(({ name }) => this.weights.has(`${name}${ending}_scale`));
    if (scales) this.weights.pack(packed, `${ending}_scale`);
    return this.get(name, expected);
  }

  optional(name: string, expected?: readonly number[]): Operand | undefined {
    return this.weights.has(name) ? this.get(name, expected) : undefined;
  }
}
