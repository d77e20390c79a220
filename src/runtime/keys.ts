import { type ConstantOptions, isConstant, type Operand, topological } from '../graph/ir.ts';
import { keyOf } from '../tensor/key.ts';

/** Bytes up to which constants made on the host are the same where their contents are. */
const KNOWN_BY_CONTENT = 1024;

/** Names constants. Equal names, equal bytes: the same source under the same ops. */
export class ConstantKeys {
  readonly #keys = new WeakMap<Operand, string>();
  readonly #sources = new WeakMap<object, string>();
  readonly #ids = new Map<string, string>();

  of(operand: Operand): string {
    const known = this.#keys.get(operand);
    if (known) return known;
    for (const node of topological({ outputs: { operand } })) {
      if (this.#keys.has(node)) continue;
      const inputs = Object.entries(node.inputs).map(([name, input]) => `${name}=${this.#keys.get(input)}`);
      const made = isConstant(node) ? this.#origin(node.options) : `${node.op}(${inputs.join()})${keyOf(node.options)}`;
      for (const [i, result] of node.results.entries())
        this.#keys.set(result, this.#id(`${made}${result.dataType}[${result.shape}]${i || ''}`));
    }
    return this.#keys.get(operand)!;
  }

  /** A leaf: by its bytes where they are few and from the host, else by the object that they come from. */
  #origin({ source, data }: ConstantOptions): string {
    if (data && data.byteLength <= KNOWN_BY_CONTENT)
      return `=${new Uint8Array(data.buffer, data.byteOffset, data.byteLength)}`;
    const origin = (source ?? data)!;
    const known = this.#sources.get(origin) ?? `#${this.#id(`source ${this.#ids.size}`)}`;
    this.#sources.set(origin, known);
    return known;
  }

  /** A short name for a text: names stay short, however many ops a constant was made by. */
  #id(text: string): string {
    const id = this.#ids.get(text) ?? `${this.#ids.size}`;
    this.#ids.set(text, id);
    return id;
  }
}
