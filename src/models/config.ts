import { TilewrightError } from '../errors.ts';
import { checkFields, type Rule } from '../options.ts';
import type { ModelFiles } from './model.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A config.json whose fields are checked: each has its type, or the value that transformers' class gives it. */
export class Config {
  /** Its `model_type`. */
  readonly type: string;
  /** The file, for messages. */
  protected readonly where: string;
  readonly #fields: Fields;

  /** Error: `unsupported-option` for a field that breaks its rule. */
  constructor(
    readonly files: ModelFiles,
    rules: Readonly<Record<string, Rule>>,
  ) {
    const { config = {}, name } = files;
    this.type = String(config['model_type']);
    this.where = `${name}: config.json`;
    checkFields(this.where, config, rules);
    this.#fields = config;
  }

  /** A field; undefined where it is absent or null. */
  said<T>(name: string): T | undefined {
    return (this.#fields[name] ?? undefined) as T | undefined;
  }

  get<T>(name: string, otherwise: T): T {
    return this.said<T>(name) ?? otherwise;
  }

  /** A field; null in the config means that there is none. */
  unlessNull<T>(name: string, otherwise: T | undefined): T | undefined {
    return this.#fields[name] === undefined ? otherwise : this.said<T>(name);
  }

  /** A field without which there is no model. Error: `unknown-architecture`. */
  need(name: string): number {
    const value = this.said<number>(name);
    if (value === undefined)
      throw new TilewrightError('unknown-architecture', `${this.where}: ${name}: expected a number, got nothing`);
    return value;
  }

  fail(message: string): never {
    throw new TilewrightError('unsupported-option', `${this.where}: ${message}`);
  }
}
