import { type ConstantOptions, isConstant, type Operand, topological } from '../graph/ir.ts';
import { keyOf } from '../tensor/key.ts';

/** So many bytes of a constant that was made on the host are compared one by one. */
const KNOWN_BY_CONTENT = 1024;

/** Names for constants. Equal names, equal bytes: the same source under the same ops. */
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

  /** Small numbers made on the host are known by what they are; everything else by the object that it is read from. */
  #origin({ source, data }: ConstantOptions): string {
    if (data && data.byteLength <= KNOWN_BY_CONTENT)
      return `=${new Uint8Array(data.buffer, data.byteOffset, data.byteLength)}`;
    const origin = (source ?? data)!;
    const known = this.#sources.get(origin) ?? `#${this.#id(`source ${this.#ids.size}`)}`;
    this.#sources.set(origin, known);
    return known;
  }

  /** A short name for a text, so that the name of what hangs on much is short too. */
  #id(text: string): string {
    const id = this.#ids.get(text) ?? `${this.#ids.size}`;
    this.#ids.set(text, id);
    return id;
  }
}
