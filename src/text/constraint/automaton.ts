import { TilewrightError } from '../../errors.ts';

/** Characters, as ranges of code points: each from its first to its last. */
export type Characters = readonly (readonly [first: number, last: number])[];

/** A place in a pattern. */
type Node =
  | { readonly kind: 'characters'; readonly id: number; readonly of: Characters; readonly next: Node }
  | { readonly kind: 'split'; readonly id: number; to: readonly Node[] }
  | { readonly kind: 'call'; readonly id: number; readonly rule: Rule; readonly next: Node }
  | { readonly kind: 'end'; readonly id: number };

/** Gives a place of a pattern its number. Error: `invalid-argument` where a pattern has too many. */
type Place = () => number;

/** A part of a pattern, as a way from its beginning to what comes after it. */
export type Pattern = (next: Node, place: Place) => Node;

/** A pattern that is called where it is needed: it may be in itself. */
export class Rule {
  readonly #make: () => Pattern;
  #start: Node | undefined;

  constructor(make: () => Pattern) {
    this.#make = make;
  }

  /** Where it begins: it is made when it is first asked for. */
  start(place: Place): Node {
    this.#start ??= this.#make()(END, place);
    return this.#start;
  }
}

/** Places that a pattern may have in sum: bounds of repetitions multiply. */
const MOST_PLACES = 200_000;
/** Ways that a text may have been read at a time. */
const MOST_WAYS = 2_000;
/** States that are kept before they are found anew. */
const MOST_STATES = 20_000;

const END: Node = { kind: 'end', id: 0 };

/** One of these characters. */
export const characters =
  (of: Characters): Pattern =>
  (next, place) => ({ kind: 'characters', id: place(), of, next });

export const sequence =
  (...parts: readonly Pattern[]): Pattern =>
  (next, place) =>
    parts.reduceRight((after, part) => part(after, place), next);

/** Any of these. Of none there is no text. */
export const either =
  (...parts: readonly Pattern[]): Pattern =>
  (next, place) => ({ kind: 'split', id: place(), to: parts.map((part) => part(next, place)) });

export const nothing: Pattern = (next) => next;

/** A pattern so often in a row. */
export const repeated =
  (part: Pattern, least: number, most = Number.POSITIVE_INFINITY): Pattern =>
  (next, place) => {
    let after = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Node = { kind: 'split', id: place(), to: [] };
      loop.to = [part(loop, place), next];
      after = loop;
    } else for (let i = least; i < most; i++) after = { kind: 'split', id: place(), to: [part(after, place), next] };
    for (let i = 0; i < least; i++) after = part(after, place);
    return after;
  };

/** These characters in a row. */
export const literal = (text: string): Pattern =>
  sequence(
    ...Array.from(text, (character) => {
      const code = character.codePointAt(0)!;
      return characters([[code, code]]);
    }),
  );

export const call =
  (rule: Rule): Pattern =>
  (next, place) => ({ kind: 'call', id: place(), rule, next });

/** Where rules that were called go on: the nearest first. Equal ones are one object. */
interface Stack {
  readonly id: number;
  readonly node: Node;
  readonly below: Stack | undefined;
}

/** A way to have read the text: what it reads next, and where it goes on after the rule. */
interface Way {
  readonly node: Node;
  readonly stack: Stack | undefined;
}

/** All ways to have read a text. States of equal ways are one object, so that what is found out about one is kept. */
export interface State {
  /** Those that read a character next. */
  readonly ways: readonly Way[];
  /** Whether the text may end here. */
  readonly accepts: boolean;
  readonly next: Map<number, State | undefined>;
}

/**
 * Reads texts by a pattern, a character at a time: a pushdown automaton that follows all ways at once and keeps the states that it met
 * (Thompson, Regular expression search algorithm, 1968; with a stack for rules).
 */
export class Automaton {
  readonly start: State;
  readonly #stacks = new Map<string, Stack>();
  readonly #states = new Map<string, State>();
  #numbers = 0;
  #places = 0;

  /** Error: `invalid-argument` where the pattern is too large, or calls itself before it reads anything. */
  constructor(pattern: Pattern) {
    this.start = this.#state([{ node: pattern(END, this.#place), stack: undefined }]);
  }

  readonly #place: Place = () => {
    if (++this.#places <= MOST_PLACES) return this.#places;
    throw new TilewrightError('invalid-argument', `constraint: its bounds multiply to more than ${MOST_PLACES} places`);
  };

  /** The state after a character; undefined where no text goes on with it. */
  after(state: State, character: number): State | undefined {
    const known = state.next.get(character);
    if (known || state.next.has(character)) return known;
    const ways = state.ways.flatMap(({ node, stack }) =>
      node.kind === 'characters' && node.of.some(([first, last]) => first <= character && character <= last)
        ? [{ node: node.next, stack }]
        : [],
    );
    const next = ways.length ? this.#state(ways) : undefined;
    const there = next && (next.ways.length || next.accepts) ? next : undefined;
    state.next.set(character, there);
    return there;
  }

  #push(node: Node, below: Stack | undefined): Stack {
    const key = `${node.id} ${below?.id ?? ''}`;
    let stack = this.#stacks.get(key);
    if (!stack) {
      stack = { id: this.#numbers++, node, below };
      this.#stacks.set(key, stack);
    }
    return stack;
  }

  /** The state of these ways, each followed to where it reads. */
  #state(from: readonly Way[]): State {
    if (this.#states.size > MOST_STATES) {
      this.#states.clear();
      this.#stacks.clear();
      this.start.next.clear();
    }
    const met = new Set<string>();
    const ways: Way[] = [];
    let accepts = false;
    const open = [...from];
    for (let way = open.pop(); way; way = open.pop()) {
      const { node, stack } = way;
      const key = `${node.id} ${stack?.id ?? ''}`;
      if (met.has(key)) continue;
      met.add(key);
      if (met.size > MOST_WAYS)
        throw new TilewrightError('invalid-argument', `constraint: a text may be read in more than ${MOST_WAYS} ways`);
      if (node.kind === 'split') open.push(...node.to.map((to) => ({ node: to, stack })));
      else if (node.kind === 'call') {
        // Nothing comes after a call at the end of a rule: its stack is that of the rule.
        const back = node.next.kind === 'end' ? stack : this.#push(node.next, stack);
        open.push({ node: node.rule.start(this.#place), stack: back });
      } else if (node.kind === 'characters') ways.push(way);
      else if (stack) open.push({ node: stack.node, stack: stack.below });
      else accepts = true;
    }
    const key = `${ways
      .map(({ node, stack }) => `${node.id} ${stack?.id ?? ''}`)
      .sort()
      .join()} ${accepts}`;
    let state = this.#states.get(key);
    if (!state) {
      state = { ways, accepts, next: new Map() };
      this.#states.set(key, state);
    }
    return state;
  }
}
