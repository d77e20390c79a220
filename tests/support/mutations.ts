import fc from 'fast-check';
import { expect } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import type { Allocations } from './allocations.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Of all campaigns: what fails once fails again. */
const SEED = 20261129;

/** A place of the file, from 0 to 1, evenly: `fc.double` is even over the floats there are, nearly all of which are close to 0. */
const place = fc.nat({ max: 2 ** 30 - 1 }).map((n) => n / 2 ** 30);

/** What is done to the bytes of a file. */
export const byteChange = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('set'), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 10 }) }),
  fc.record({ kind: fc.constant('insert'), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 10 }) }),
  fc.record({ kind: fc.constant('delete'), at: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('splice'), at: place, from: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('repeat'),
    at: place,
    length: fc.integer({ min: 1, max: 64 }),
    times: fc.integer({ min: 1, max: 50 }),
  }),
);
export type ByteChange = typeof byteChange extends fc.Arbitrary<infer T> ? T : never;

export function mutated(bytes: Bytes, changes: readonly ByteChange[]): Bytes {
  let now = [...bytes];
  for (const one of changes) {
    const at = Math.floor(one.at * now.length);
    if ('bit' in one) now[at]! ^= 1 << one.bit;
    else if ('bytes' in one) now.splice(at, one.kind === 'set' ? one.bytes.length : 0, ...one.bytes);
    else if ('from' in one) {
      const from = Math.floor(one.from * now.length);
      now.splice(at, 0, ...now.slice(from, from + one.length));
    } else if ('times' in one) {
      const part = now.slice(at, at + one.length);
      now = [...now.slice(0, at), ...Array.from({ length: one.times }, () => part).flat(), ...now.slice(at)];
    } else now.splice(at, one.length);
  }
  return Uint8Array.from(now);
}

/** Values that no reader of JSON may trip over. */
const HOSTILE: readonly unknown[] = [
  ...[null, true, false, -1, 0, 0.5, 1e9, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 1e308, -1e308],
  ...['', 'x', '__proto__', 'toString', 'x'.repeat(5000), '\ud800', '\0', '(a+)+$', '[', '(?<x>'],
  ...['../x', '/x', 'x/../../x', 'a\\b', 'http://127.0.0.1/x.safetensors', '..\\x.safetensors', 'C:x'],
  ...[[], {}, [[]], [null], [1e9, 1e9], { type: 'x' }, { length: 1e9 }, Array(1000).fill(0)],
];

/** What is done to a value of a JSON file: the one at `at` of all that it holds, in the order of the file. */
export const jsonChange = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), at: place, by: fc.constantFrom(...HOSTILE) }),
  fc.record({ kind: fc.constant('delete' as const), at: place }),
  fc.record({ kind: fc.constant('move' as const), at: place, from: place }),
  fc.record({ kind: fc.constant('nest' as const), at: place, levels: fc.constantFrom(1, 2, 100, 2000) }),
);
export type JsonChange = typeof jsonChange extends fc.Arbitrary<infer T> ? T : never;

type Container = Record<string, unknown>;

/** Each value of a file with what holds it. */
function places(holder: unknown, found: [Container, string][] = []): [Container, string][] {
  if (typeof holder !== 'object' || holder === null) return found;
  for (const key of Object.keys(holder)) {
    found.push([holder as Container, key]);
    places((holder as Container)[key], found);
  }
  return found;
}

/** The text of a JSON file in which these values are others. */
export function changedJson(json: unknown, changes: readonly JsonChange[]): string {
  const root = structuredClone({ json });
  let nested: readonly [levels: number, value: unknown] | undefined;
  const NESTED = '\u0001nested';
  for (const change of changes) {
    const all = places(root);
    const [holder, key] = all[Math.floor(change.at * all.length)]!;
    if (change.kind === 'delete') delete holder[key];
    else if (change.kind === 'replace') holder[key] = structuredClone(change.by);
    else if (change.kind === 'nest') {
      nested = [change.levels, holder[key]];
      holder[key] = NESTED;
    } else {
      const [other, name] = all[Math.floor(change.from * all.length)]!;
      holder[key] = structuredClone(other[name]);
    }
    if (!all.length || root.json === undefined) break;
  }
  const text = JSON.stringify(root.json) ?? '';
  if (!nested) return text;
  const [levels, value] = nested;
  return text.replace(JSON.stringify(NESTED), () => '['.repeat(levels) + JSON.stringify(value) + ']'.repeat(levels));
}

/** What came of a campaign: how often what, and the slowest of all. */
export class Tally {
  readonly #outcomes = new Map<string, number>();
  #slowest = 0;
  constructor(readonly name: string) {}

  add(outcome: string, milliseconds: number): void {
    this.#outcomes.set(outcome, this.of(outcome) + 1);
    this.#slowest = Math.max(this.#slowest, milliseconds);
  }

  of(outcome: string): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  get runs(): number {
    return [...this.#outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A line for the output of the tests. */
  toString(): string {
    const each = [...this.#outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`);
    return `${this.name}: ${this.runs} mutations, seed ${SEED}: ${each.join(', ')}; the slowest ${Math.ceil(this.#slowest)} ms`;
  }
}

/** Bytes of arrays that a file may take: of its own, and for shapes of the nodes that a short loop unrolls to. */
const most = (bytes: number): number => Math.max(10 * bytes, 16_384);
/** Milliseconds that one file may take. */
const MOST_TIME = 1000;

/** What `work` throws when it has got as far as it shall: the files were accepted. */
export class Accepted extends Error {}

/** The files are accepted, or refused by an error of ours that is short; within a second, and without arrays of more than ten times their bytes. */
export async function judged(
  tally: Tally,
  { bytes, allocations }: { bytes: number; allocations: Allocations },
  work: () => Promise<unknown>,
): Promise<void> {
  const timed = async (): Promise<readonly [outcome: string, took: number]> => {
    const began = performance.now();
    const outcome = await work().then(
      () => 'accepted',
      (error: unknown) => {
        if (error instanceof Accepted) return 'accepted';
        if (!(error instanceof TilewrightError)) throw error;
        expect(error.message.length).toBeLessThan(1000);
        return error.code;
      },
    );
    return [outcome, performance.now() - began];
  };
  allocations.taken();
  let [outcome, took] = await timed();
  expect(allocations.taken()).toBeLessThanOrEqual(most(bytes));
  // A file that is slow is slow again; a machine that had something else to do is not.
  if (took >= MOST_TIME) [outcome, took] = await timed();
  expect(took).toBeLessThan(MOST_TIME);
  tally.add(outcome, took);
}

/** Judges `numRuns` files and says what came of them. Changes that break every file would show nothing of what comes after the reader. */
export async function campaign<T>(
  name: string,
  numRuns: number,
  files: fc.Arbitrary<T>,
  judge: (tally: Tally, file: T) => Promise<void>,
): Promise<void> {
  const tally = new Tally(name);
  const property = fc.asyncProperty(files, (file) => judge(tally, file));
  await fc.assert(property, { numRuns, seed: SEED });
  console.log(String(tally));
  expect(tally.runs).toBe(numRuns);
  expect(tally.of('accepted')).toBeGreaterThan(numRuns / 100);
  expect(tally.of('accepted')).toBeLessThan(numRuns);
}
