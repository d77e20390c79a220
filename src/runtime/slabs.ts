import { type Gpu, paddedBytes } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { leaf, type Operand, operand } from '../graph/ir.ts';
import { type Choose, makeSteps, type Step, storageOf } from '../graph/plan.ts';
import { opNamed } from '../ops/index.ts';
import { byteLength } from '../tensor/types.ts';
import { bind, compile, submitPass, writeUniforms } from './steps.ts';

/** A slab has a multiple of so many rows: it starts where a binding may, at a multiple of 256 bytes. */
const ROWS = 64;

/**
 * Brings a large weight to the device of which only something smaller stays: a float table that becomes int8. A slab of
 * its rows is uploaded, the nodes are computed for these rows, and the results go to their place in the buffers that
 * stay. Neither the host nor the device holds the weight whole.
 */
export class SlabStream {
  private constructor(
    readonly tensor: Operand,
    /** The nodes computed from it, inputs first. Those that do not stay have a buffer for one slab. */
    readonly nodes: readonly Operand[],
    private readonly rows: number,
    /** Rows of a slab. */
    private readonly most: number,
    /** Bytes of the buffers for one slab. */
    readonly bytes: number,
  ) {}

  /** Undefined unless row i of every needed node depends on row i of the constant only. */
  static of(
    tensor: Operand,
    needed: readonly Operand[],
    roots: ReadonlySet<Operand>,
    slabBytes: number,
  ): SlabStream | undefined {
    if (roots.has(tensor)) return undefined;
    const within = new Set([tensor]);
    const nodes = needed.filter((node) => {
      if (!Object.values(node.inputs).some((input) => within.has(storageOf(input)))) return false;
      within.add(node);
      return true;
    });
    const rows = nodes.find((node) => roots.has(node))?.shape[0] ?? 0;
    const alone = (node: Operand): boolean =>
      Object.values(node.inputs).every((input) => within.has(input)) &&
      node.shape[0] === rows &&
      storageOf(node) === node &&
      opNamed(node.op).rowwise?.(node.inputs, node.options, ROWS) !== undefined &&
      (!roots.has(node) || ((byteLength(node) / rows) * ROWS) % 256 === 0);
    const fits = rows > ROWS && (byteLength(tensor) * ROWS) % (4 * rows) === 0 && nodes.every(alone);
    const most = Math.max(1, Math.floor((slabBytes * rows) / byteLength(tensor) / ROWS)) * ROWS;
    if (!fits) return undefined;
    const some = Math.min(rows, most);
    const passing = [tensor, ...nodes.filter((node) => !roots.has(node))];
    const bytes = passing.reduce((sum, node) => sum + paddedBytes((some * byteLength(node)) / rows), 0);
    return new SlabStream(tensor, nodes, rows, some, bytes);
  }

  /**
   * Consumes the bytes of the tensor. `bufferOf` has the buffers of what stays; `labelOf` is the candidate that the
   * plan has for a node; `scoped` does work and catches errors of WebGPU.
   */
  async run(
    gpu: Gpu,
    chunks: AsyncIterable<Uint8Array>,
    bufferOf: (root: Operand) => GPUBuffer | undefined,
    labelOf: (node: Operand) => string | undefined,
    scoped: (work: () => void) => void,
  ): Promise<void> {
    const rowBytes = byteLength(this.tensor) / this.rows;
    const { most } = this;
    const own: GPUBuffer[] = [];
    const allocate = (bytes: number, { label, op }: Operand): GPUBuffer => {
      const buffer = gpu.createBuffer(bytes, USAGE.storage, `${label ?? op} slab`);
      own.push(buffer);
      return buffer;
    };
    try {
      const slab = allocate(most * rowBytes, this.tensor);
      const buffers = new Map(
        this.nodes.map((node) => [node, bufferOf(node) ?? allocate((most * byteLength(node)) / this.rows, node)]),
      );
      /** Computes the nodes for the slab's rows, `first` to `first + rows`. */
      const make = async (first: number, rows: number): Promise<void> => {
        const small = this.#some(rows);
        const whole = new Map([...small].map(([node, some]) => [some, node]));
        // A buffer that stays is bound at row `first`, any other at its start.
        const rangeOf = (some: Operand) => {
          const node = whole.get(some);
          if (!node || !bufferOf(node)) return undefined;
          const bytes = byteLength(node) / this.rows;
          return { offset: first * bytes, size: Math.ceil((rows * bytes) / 4) * 4 };
        };
        const asPlanned =
          (node: Operand): Choose =>
          (candidates) =>
            candidates.find(({ label }) => label === labelOf(node)) ?? candidates[0]!;
        const steps = [...small]
          .flatMap(([node, some]) => makeSteps(some, gpu.caps, asPlanned(node)))
          .map((step): Step => {
            const operands = [...Object.entries(step.reads), ...Object.entries(step.writes)];
            const ranges = operands.flatMap(([name, some]) => {
              const range = rangeOf(some);
              return range ? [[name, range] as const] : [];
            });
            return { ...step, candidate: { ...step.candidate, ranges: Object.fromEntries(ranges) } };
          });
        const programs = await compile(gpu, steps);
        const uniforms = writeUniforms(gpu, steps, programs, 'slab');
        if (uniforms.buffer) own.push(uniforms.buffer);
        const placeOf = (some: Operand): GPUBuffer => buffers.get(whole.get(some)!) ?? slab;
        scoped(() =>
          submitPass(
            gpu,
            steps.map((step, i) => bind(gpu, step, programs[i]!, uniforms, i, placeOf)),
          ),
        );
      };
      let [first, filled] = [0, 0];
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          const rows = Math.min(most, this.rows - first);
          const count = Math.min(chunk.length - at, rows * rowBytes - filled);
          const [from, to] = [at, filled];
          scoped(() => gpu.write(slab, to, chunk.subarray(from, from + count)));
          at += count;
          filled += count;
          if (filled < rows * rowBytes) continue;
          await make(first, rows);
          first += rows;
          filled = 0;
        }
      }
    } finally {
      for (const buffer of own) gpu.destroyBuffer(buffer);
    }
  }

  /** Each node, and the same node for `rows` rows. */
  #some(rows: number): Map<Operand, Operand> {
    const { tensor } = this;
    const [size, ...rest] = tensor.shape as [number, ...number[]];
    const small = leaf(
      'constant',
      { dataType: tensor.dataType, shape: [(size * rows) / this.rows, ...rest] },
      {},
      tensor.label,
    );
    const made = new Map<Operand, Operand>();
    for (const node of this.nodes) {
      const inputs = Object.fromEntries(
        Object.entries(node.inputs).map(([name, input]) => [name, made.get(input) ?? small]),
      );
      made.set(
        node,
        operand(node.op, inputs, opNamed(node.op).rowwise!(node.inputs, node.options, rows) as object, node.label),
      );
    }
    return made;
  }
}
