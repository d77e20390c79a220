import { Engine, type Model, TilewrightError } from '../../src/index.ts';
import { LoadProgress } from './load-progress.ts';
import type { ModelChoice } from './model-picker.ts';
import type { ProblemBox } from './problem.ts';

export interface Loaded<T extends Model> {
  readonly model: T;
  readonly engine: Engine;
  readonly choice: ModelChoice;
  /** From the choice to the model that is ready, in ms. */
  readonly ms: number;
}

export interface LoaderOptions<T extends Model> {
  /** Of the models that the page takes; any where absent. */
  readonly task?: T['task'];
  /** Said where a model of another task was loaded. */
  readonly otherTask?: string;
  readonly progress: HTMLElement;
  readonly problems: ProblemBox;
  /** The model before is disposed of after this call. */
  onLoaded(loaded: Loaded<T>): void;
}

/** Keeps a page's engine and its model. The model in use stays until another is ready: a failed load loses nothing. */
export class ModelLoader<T extends Model> {
  #engine: Promise<Engine> | undefined;
  #current: Loaded<T> | undefined;
  #loading: AbortController | undefined;

  constructor(private readonly options: LoaderOptions<T>) {}

  get current(): Loaded<T> | undefined {
    return this.#current;
  }

  /** Loads a model; a load that is still under way ends. Errors are shown, not thrown. */
  async load(choice: ModelChoice): Promise<void> {
    const { progress, problems, onLoaded } = this.options;
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    const bar = new LoadProgress(() => loading.abort());
    progress.replaceChildren(bar.element);
    problems.clear();
    try {
      const start = performance.now();
      const engine = await this.#aliveEngine();
      const model = await engine.load(choice.source, {
        dtype: choice.dtype,
        signal: loading.signal,
        onProgress: (step) => bar.update(step),
      });
      const ms = performance.now() - start;
      if (this.#loading !== loading) return model.dispose();
      if (!this.#fits(model)) {
        model.dispose();
        throw new TilewrightError(
          'unknown-architecture',
          `${choice.name} is a model for ${model.task}: this page is for ${this.options.task}`,
          { ...(this.options.otherTask && { hint: this.options.otherTask }) },
        );
      }
      const before = this.#current;
      this.#current = { model, engine, choice, ms };
      onLoaded(this.#current);
      before?.model.dispose();
    } catch (error) {
      if (this.#loading === loading) problems.show(error, () => this.load(choice));
    } finally {
      if (this.#loading === loading) {
        this.#loading = undefined;
        progress.replaceChildren();
      }
    }
  }

  #fits(model: Model): model is T {
    return this.options.task === undefined || model.task === this.options.task;
  }

  /** The engine; a new one where there is none yet or its device was lost. */
  async #aliveEngine(): Promise<Engine> {
    try {
      (await this.#engine)?.gpu.check();
    } catch {
      this.#current = undefined;
      this.#engine = undefined;
    }
    this.#engine ??= Engine.create();
    return this.#engine;
  }
}
