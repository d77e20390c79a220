import type { Plan } from '../graph/plan.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import type { TensorData } from '../tensor/types.ts';
import { GREEDY } from '../text/sampler.ts';
import { added, type Drawing, type Drawn, type Held, type Subject } from './drawing.ts';

/** Lengths of prefill chunks. The rest of a prompt is padded to the smallest that holds it. */
const CHUNKS = [64, 16];

/** Steps that are submitted before the first of them is read: the device goes on while the page catches up. */
export const AHEAD = 4;

/** One run of a step session. */
interface Step {
  readonly session: Session;
  readonly inputs: Record<string, TensorInput>;
  /** Whether its token belongs to the text. Runs within the prompt give tokens that are known. */
  readonly wanted: boolean;
  /** Tokens that are in the cache after it. */
  readonly end: number;
}

/** The keys and values of a text on the device: what it begins with is read once, and what follows is drawn. */
export class TextCache {
  /** The text that the cache holds. Another is read in before it goes on, from where they differ. */
  #held: Held = { ids: [], count: 0 };
  /** What computed it: other kernels may have come since because one of these was wrong. */
  #plans: readonly Plan[] = [];

  constructor(private readonly model: Subject) {}

  /** Something else is written over what it holds. */
  clear(): void {
    this.#held = { ids: [], count: 0 };
  }

  get chunks(): number[] {
    return CHUNKS.filter((chunk) => chunk <= this.model.context);
  }

  /**
   * `count` tokens after `ids`; fewer where another text takes the cache meanwhile. `ids` and all tokens but the last
   * fit into the context.
   */
  async *continue(ids: readonly number[], count: number, drawing: Drawing): AsyncGenerator<Drawn, void> {
    const sizes = [1, ...this.chunks];
    const sessions = await Promise.all(sizes.map((size) => this.model.step(size, 'last')));
    const same = sessions.every(({ plan }, i) => plan === this.#plans[i]);
    const from = same && drawing.reuse ? this.#shared(ids) : 0;
    drawing.cost.reused ??= from;
    const held: Held = { ids: [...ids], count: from };
    this.#held = held;
    this.#plans = sessions.map(({ plan }) => plan);
    const bySize = new Map(sizes.map((size, i) => [size, sessions[i]!]));
    const guessing = drawing.guesses > 0 && !drawing.by;
    for await (const token of this.#drawn(held, bySize, ids.length, guessing ? 1 : count, drawing)) {
      yield token;
      this.model.goesOn(drawing.signal);
    }
    if (!guessing) return;
    const { guessed } = await import('./text-guesses.ts');
    yield* guessed(this.model, held, () => this.#held === held, ids.length + count, drawing);
  }

  /** How many tokens of a text the cache holds. The last is read in any case: the next one is drawn after it. */
  #shared(ids: readonly number[]): number {
    const { ids: kept, count } = this.#held;
    const most = Math.min(count, ids.length - 1);
    let shared = 0;
    while (shared < most && kept[shared] === ids[shared]) shared++;
    return shared;
  }

  /**
   * The runs that read the first `prompt` tokens into the cache, and those that give `count` tokens after them. The last
   * chunk of the prompt gives the first token. Each other step takes the token before it on the device.
   * Adjusted logits follow the text: each step waits for the one before.
   */
  *#steps(
    { ids, count: from }: Held,
    prompt: number,
    count: number,
    { settings, by }: Drawing,
    sessions: ReadonlyMap<number, Session>,
    adjusted: Session | undefined,
  ): Generator<Step, void> {
    for (let done = from; done < prompt + count - 1; ) {
      // A token that is drawn from adjusted logits has a step of its own.
      const left = prompt - done - (by && prompt - done > 1 ? 1 : 0);
      const fitting = this.chunks.filter((chunk) => done + chunk <= this.model.context);
      const size = left <= 1 ? 1 : (fitting.find((chunk) => chunk <= left) ?? fitting.at(-1) ?? 1);
      const known = done < prompt ? ids.slice(done, done + Math.min(size, left)) : [];
      const positions = Uint32Array.from({ length: size }, (_, i) => done + i);
      done += Math.max(known.length, 1);
      const wanted = done >= prompt;
      const inputs = {
        positions,
        settings: wanted ? settings(done - prompt) : GREEDY,
        ...(known.length && { tokens: Uint32Array.from(positions, (_, i) => known[i] ?? 0) }),
        ...(size > 1 && { last: [known.length - 1] }),
        ...(wanted && by && { terms: by.terms, factors: by.factors }),
      };
      yield { session: (wanted && adjusted) || sessions.get(size)!, inputs, wanted, end: done };
    }
  }

  /** A token a run. Runs are submitted before earlier ones are read, unless logits are adjusted. */
  async *#drawn(
    held: Held,
    sessions: ReadonlyMap<number, Session>,
    prompt: number,
    count: number,
    drawing: Drawing,
  ): AsyncGenerator<Drawn, void> {
    const { model } = this;
    const { by, scored, signal, cost } = drawing;
    const adjusted = by && (await model.step(1, 'adjusted'));
    const copy = { token: (adjusted ?? sessions.get(1)!).inputBuffer('tokens') };
    const steps = this.#steps(held, prompt, count, drawing, sessions, adjusted);
    const ahead: { step: Step; result: Promise<Record<string, TensorData>> }[] = [];
    const start = (): void => {
      const step = this.#held === held && steps.next().value;
      if (!step) return;
      const outputs = step.wanted && scored ? ['token', 'logits'] : ['token'];
      const result = step.session.run(step.inputs, { signal, copy, outputs });
      result.catch(() => {}); // reported when it is awaited, if it is
      ahead.push({ step, result });
    };
    for (let i = 1; i < AHEAD && !by; i++) start();
    for (;;) {
      start();
      const next = ahead.shift();
      if (!next) return;
      const { token, logits } = await next.result;
      model.goesOn(signal);
      cost.runs++;
      held.count = next.step.end;
      if (next.step.wanted) yield { ...added(held, token![0] as number), logits };
    }
  }
}
