import { describe, expect, it } from 'vitest';
import { SessionCache } from '../../src/runtime/session-cache.ts';

interface Thing {
  readonly name: string;
  disposed: boolean;
  dispose(): void;
}

/** A cache, what was made for it, and a way to make that takes its time and ends at the signal. */
function house(most = 2) {
  const made: Thing[] = [];
  const started: string[] = [];
  const make =
    (name: string, ms = 2) =>
    async (signal: AbortSignal): Promise<Thing> => {
      started.push(name);
      await new Promise((resolve) => setTimeout(resolve, ms));
      signal.throwIfAborted();
      const thing: Thing = {
        name,
        disposed: false,
        dispose() {
          this.disposed = true;
        },
      };
      made.push(thing);
      return thing;
    };
  const alive = (): string[] => made.filter(({ disposed }) => !disposed).map(({ name }) => name);
  return { cache: new SessionCache<Thing>('the model', most), make, made, started, alive };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    ({ code, name }) => code ?? name,
  );
const nothing = async (): Promise<void> => {};

describe('a cache of sessions', () => {
  it('bug 5: keeps as many as it may, and those used last', async () => {
    const { cache, make, alive, started } = house();
    for (const name of ['a', 'b', 'a', 'c', 'a']) await cache.use(name, make(name), nothing);
    expect(alive()).toEqual(['a', 'c']);
    expect(started).toEqual(['a', 'b', 'c']);
    cache.dispose();
    expect(alive()).toEqual([]);
  });

  it('bug 5: never ends what is at work: who finds no room waits for it', async () => {
    const { cache, make, made, alive } = house();
    let most = 0;
    const work = async (thing: Thing): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      most = Math.max(most, alive().length);
      expect(thing.disposed).toBe(false);
    };
    await Promise.all([...'abcdeafb'].map((name) => cache.use(name, make(name), work)));
    expect(most).toBe(2);
    expect(made.length).toBeGreaterThanOrEqual(6);
    expect(alive()).toHaveLength(2);
  });

  it('bug 5: what stays does not count, and stays', async () => {
    const { cache, make, alive } = house();
    await cache.get('x', make('x'));
    for (const name of 'abcd') await cache.use(name, make(name), nothing);
    expect(alive().sort()).toEqual(['c', 'd', 'x']);
  });

  it('bug 4: a build goes on while somebody waits, whoever began it', async () => {
    const { cache, make, started } = house();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.use('a', make('a', 10), nothing, one.signal);
    const second = cache.use('a', make('a', 10), nothing, two.signal);
    const third = cache.use('a', make('a', 10), nothing);
    one.abort();
    expect(await codeOf(first)).toBe('aborted');
    two.abort();
    expect(await Promise.all([second, third].map(codeOf))).toEqual(['aborted', 'fine']);
    expect(started).toEqual(['a']);
  });

  it('bug 4: a build ends when the last one leaves; who comes after that has another', async () => {
    const { cache, make, started, made } = house();
    const stop = new AbortController();
    const left = cache.use('a', make('a', 10), nothing, stop.signal);
    await Promise.resolve();
    stop.abort();
    const after = cache.use('a', make('a', 10), nothing);
    expect(await codeOf(left)).not.toBe('fine');
    expect(await codeOf(after)).toBe('fine');
    expect(started).toEqual(['a', 'a']);
    expect(made).toHaveLength(1);
  });

  it('a build that fails is tried again by the next', async () => {
    const { cache, make } = house();
    const fails = () => Promise.reject(Object.assign(new Error('no'), { code: 'network' }));
    expect(await codeOf(cache.use('a', fails, nothing))).toBe('network');
    expect(await codeOf(cache.use('a', make('a'), nothing))).toBe('fine');
  });

  it('bug 3: its end ends builds, waiting and what it holds, all with disposed', async () => {
    const { cache, make, made, alive } = house(1);
    await cache.use('a', make('a'), nothing);
    let finish = (): void => {};
    const end = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const working = cache.use('a', make('a'), () => end);
    const building = cache.get('b', make('b', 10));
    const waiting = cache.use('c', make('c'), nothing);
    await new Promise((resolve) => setTimeout(resolve, 1));
    cache.dispose();
    finish();
    expect(await Promise.all([building, waiting].map(codeOf))).toEqual(['disposed', 'disposed']);
    expect(await codeOf(working)).toBe('fine');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(alive()).toEqual([]);
    expect(made.map(({ name }) => name)).toEqual(['a']);
    expect(await codeOf(cache.get('a', make('a')))).toBe('disposed');
  });
});
