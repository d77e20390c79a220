import { TilewrightError } from '../errors.ts';
import type { Checkpoint, CheckpointTensor } from '../formats/safetensors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';

/** The tensors of a checkpoint under their published names, checked as they are asked for. */
export class Weights {
  constructor(
    readonly checkpoint: Checkpoint,
    /** Put before every name: `transformer.` where the file has it. */
    readonly prefix = '',
  ) {}

  has(name: string): boolean {
    return this.checkpoint.tensors.has(this.prefix + name);
  }

  /** The tensor, of this shape where one is expected (-1: any length). Errors: `missing-tensor`, `wrong-shape`. */
  get(name: string, expected?: readonly number[]): CheckpointTensor {
    const full = this.prefix + name;
    const wanted = expected && `[${expected.map((size) => (size < 0 ? '*' : size)).join(',')}]`;
    const tensor = this.checkpoint.tensors.get(full);
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

  shape(name: string): readonly number[] {
    return this.get(name).shape;
  }

  /** How many blocks `name(0)`, `name(1)`, ... there are. */
  count(name: (index: number) => string): number {
    let count = 0;
    while (this.has(name(count))) count++;
    return count;
  }

  /** Elements of all tensors that were trained: running statistics, counts and masks are none. */
  get parameters(): number {
    const counted = [...this.checkpoint.tensors.values()].filter(
      ({ name }) => !/num_batches_tracked$|\.attn\.(masked_)?bias$|\.input_scale$/.test(name),
    );
    return counted.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  }
}

/** Tensors as constants of one graph, each made once, in the type that the model computes in. */
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
      const stored = this.builder.constant(this.weights.get(name, expected));
      operand = stored.dataType === this.dataType ? stored : this.builder.cast(stored, this.dataType);
      this.#operands.set(name, operand);
    }
    return operand;
  }

  optional(name: string, expected?: readonly number[]): Operand | undefined {
    return this.weights.has(name) ? this.get(name, expected) : undefined;
  }
}
