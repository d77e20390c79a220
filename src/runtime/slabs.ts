import { type Gpu, paddedBytes } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { leaf, type Operand, operand } from '../graph/ir.ts';
import { type Choose, makeSteps, type Step, storageOf } from '../graph/plan.ts';
import { opNamed } from '../ops/index.ts';
import { byteLength } from '../tensor/types.ts';
import { bind, compile, submitPass, writeUniforms } from './steps.ts';

/** Rows of a slab come in so many, so that each begins where a binding may. */
const ROWS = 64;

/**
 * A large weight of which only something smaller stays, int8 of a table for one: its rows come to the device a slab at a time, and all
 * that is made of them goes where it will stay. Neither the host nor the device ever holds it whole.
 */
export class SlabStream {
  private constructor(
    readonly tensor: Operand,
    /** What is made of it, inputs first: what does not stay lies on the device for a slab at a time. */
    readonly nodes: readonly Operand[],
    private readonly rows: number,
    /** Rows that are on the device at a time. */
    private readonly most: number,
    /** Bytes on the device for a slab and what is made of it on the way. */
    readonly bytes: number,
  ) {}

  /** For a constant among `needed` whose rows make rows of the `roots`, each by itself; else undefined. */
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

  /** Takes the bytes of the tensor as they come; `bufferOf` has the buffers of what stays, `labelOf` what the plan runs for a node, `scoped` hears of faults. */
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
      /** Makes what there is to make of the slab's rows, which are those from `first` on. */
      const make = async (first: number, rows: number): Promise<void> => {
        const small = this.#some(rows);
        const whole = new Map([...small].map(([node, some]) => [some, node]));
        // What stays is bound where the rows belong, everything else from its beginning.
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

  /** The nodes for so many rows. */
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
