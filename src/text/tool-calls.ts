/** A call of a function that a model wrote: its arguments are JSON, as text. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: string;
}

const OPEN = '<tool_call>';
const CLOSE = '</tool_call>';

/**
 * Tells calls of functions from text, as the text comes. Two ways of writing them are known, as Hermes and Qwen do,
 * `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, and as Llama 3 does, an answer that is nothing but
 * `{"name": …, "parameters": {…}}`. What is neither is text.
 */
export class ToolCalls {
  readonly #names: ReadonlySet<string>;
  /** What may still become a call. */
  #held = '';
  /** Whether something other than white space was passed on: then a brace is no call. */
  #spoken = false;

  /** `names`: of the functions that there are. */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names);
  }

  /** Takes the next piece; gives the text that is certainly none of a call. */
  push(piece: string): string {
    this.#held += piece;
    const open = this.#held.indexOf(OPEN);
    if (open >= 0) return this.#pass(open);
    if (!this.#spoken && /^\s*({|$)/.test(this.#held)) return '';
    // The end may be the beginning of a mark.
    let keep = Math.min(OPEN.length - 1, this.#held.length);
    while (keep && !OPEN.startsWith(this.#held.slice(-keep))) keep--;
    return this.#pass(this.#held.length - keep);
  }

  #pass(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    this.#spoken ||= text.trim() !== '';
    return text;
  }

  /** What was held: the calls, or text where there are none in it. */
  end(): { text: string; calls: readonly ToolCall[] } {
    const held = this.#held;
    this.#held = '';
    const marked = held.startsWith(OPEN);
    const written = marked
      ? held
          .split(OPEN)
          .slice(1)
          .map((part) => part.split(CLOSE)[0]!)
      : [held];
    const calls = written.map((text) => this.#read(text));
    return calls.every((call) => call !== undefined) ? { text: '', calls } : { text: held, calls: [] };
  }

  #read(text: string): ToolCall | undefined {
    try {
      const { name, arguments: given, parameters = given } = JSON.parse(text);
      if (!this.#names.has(name)) return undefined;
      return { name, arguments: typeof parameters === 'string' ? parameters : JSON.stringify(parameters ?? {}) };
    } catch {
      return undefined; // no JSON: a model may write anything
    }
  }
}
