import type { Session } from '../runtime/session.ts';
import type { MLOperandDescriptor } from './data.ts';

/** What a context keeps of a graph. Descriptors have the types of the standard, the session those of the device. */
interface Built {
  readonly context: object;
  readonly session: Session;
  readonly inputs: ReadonlyMap<string, MLOperandDescriptor>;
  readonly outputs: ReadonlyMap<string, MLOperandDescriptor>;
}

const graphs = new WeakMap<MLGraph, Built>();

export const builtOf = (graph: MLGraph): Built | undefined => graphs.get(graph);

/** A compiled graph, made by `build`. */
export class MLGraph {
  /** @internal */
  constructor(built: Built) {
    graphs.set(this, built);
  }

  /** Frees it. Twice is fine. */
  destroy(): void {
    graphs.get(this)?.session.dispose();
  }
}
