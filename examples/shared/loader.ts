import { Engine, type LoadOptions, type Model, TilewrightError } from '../../src/index.ts';
import { LoadProgress } from './load-progress.ts';
import type { ModelChoice } from './model-picker.ts';
import type { ProblemBox } from './problem.ts';

/** What a page has on the device. */
interface Disposable {
  dispose(): void;
}

export interface Loaded<T extends Disposable, C = ModelChoice> {
  readonly model: T;
  readonly engine: Engine;
  readonly choice: C;
  /** From the choice to the model that is ready, in ms. */
  readonly ms: number;
}

type Opening = Pick<LoadOptions, 'signal' | 'onProgress'>;

export interface LoaderOptions<T extends Disposable, C> {
  /** Loads what was chosen. */
  open(engine: Engine, choice: C, options: Opening): Promise<T>;
  readonly progress: HTMLElement;
  readonly problems: ProblemBox;
  /** The model before is disposed of after this call. */
  onLoaded(loaded: Loaded<T, C>): void;
}

/** Opens models of one task alone; `otherTask` is said where one of another was chosen. */
export const modelFor =
  <T extends Model>(task: T['task'], otherTask: string) =>
  async (engine: Engine, { name, source, dtype, cache = false }: ModelChoice, options: Opening): Promise<T> => {
    const model = await engine.load(source, { dtype, cache, ...options });
    if (model.task === task) return model as T;
    model.dispose();
    throw new TilewrightError(
      'unknown-architecture',
      `${name} is a model for ${model.task}: this page is for ${task}`,
      { hint: otherTask },
    );
  };

/** Keeps a page's engine and its model. The model in use stays until another is ready: a failed load loses nothing. */
export class ModelLoader<T extends Disposable, C = ModelChoice> {
  #engine: Promise<Engine> | undefined;
  #current: Loaded<T, C> | undefined;
  #loading: AbortController | undefined;

  constructor(private readonly options: LoaderOptions<T, C>) {}

  get current(): Loaded<T, C> | undefined {
    return this.#current;
  }

  /** Loads a model; a load that is still under way ends. Errors are shown, not thrown. */
  async load(choice: C): Promise<void> {
    const { open, progress, problems, onLoaded } = this.options;
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    const bar = new LoadProgress(() => loading.abort());
    progress.replaceChildren(bar.element);
    problems.clear();
    try {
      const start = performance.now();
      const engine = await this.#aliveEngine();
      const { signal } = loading;
      const model = await open(engine, choice, { signal, onProgress: (step) => bar.update(step) });
      const ms = performance.now() - start;
      if (this.#loading !== loading) return model.dispose();
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
