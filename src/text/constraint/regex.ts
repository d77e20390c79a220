import { parse, type RootNode } from 'regjsparser';
import { TilewrightError } from '../../errors.ts';
import { type Characters, characters, either, nothing, type Pattern, repeated, sequence } from './automaton.ts';

const LAST = 0x10ffff;
const DIGITS: Characters = [[48, 57]];
const WORD: Characters = [...DIGITS, [65, 90], [95, 95], [97, 122]];
// White space and ends of lines, as ECMAScript lists them.
const SPACE: Characters = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: Characters = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];

/** All characters but these; halves of characters are none. */
export function allBut(these: Characters): Characters {
  const left: [number, number][] = [];
  let from = 0;
  for (const [first, last] of [...these, [0xd800, 0xdfff] as const].sort(([a], [b]) => a - b)) {
    if (first > from) left.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  if (from <= LAST) left.push([from, LAST]);
  return left;
}

const ESCAPES: Readonly<Record<string, Characters>> = {
  d: DIGITS,
  D: allBut(DIGITS),
  w: WORD,
  W: allBut(WORD),
  s: SPACE,
  S: allBut(SPACE),
};

/** How characters are written where the pattern stands: as they are, or as in a JSON string. */
export type Spelling = (of: Characters) => Pattern;

/** Where a pattern holds: for all of a text, or anywhere in it where neither `^` nor `$` says otherwise. */
export type Holds = 'whole' | 'anywhere';

const ANY = allBut([]);

/**
 * The pattern of a regular expression of ECMAScript, in Unicode mode. Left out are assertions within it, references and properties of
 * characters; of the flags `s` and `u` are known. Errors: `invalid-argument`, by the part that is not done.
 */
export function regexPattern(source: string, flags: string, holds: Holds, spell: Spelling = characters): Pattern {
  const refused = (what: string): never => {
    throw new TilewrightError('invalid-argument', `constraint: /${source}/${flags}: ${what} is not done here`);
  };
  const other = flags.replace(/[su]/g, '');
  if (other) refused(`the flag ${other[0]}`);
  let root: RootNode;
  try {
    root = parse(source, 'u', { lookbehind: true, namedGroups: true, unicodePropertyEscape: true }) as RootNode;
  } catch (cause) {
    throw new TilewrightError('invalid-argument', `constraint: /${source}/${flags}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const classOf = (part: Extract<RootNode, { type: 'characterClass' }>): Characters => {
    const of = part.body.flatMap((one): Characters => {
      if (one.type === 'value') return [[one.codePoint, one.codePoint]];
      if (one.type === 'characterClassRange') return [[one.min.codePoint, one.max.codePoint]];
      if (one.type === 'characterClassEscape') return ESCAPES[one.value]!;
      return refused((one as { raw: string }).raw);
    });
    return part.negative ? allBut(of) : of;
  };
  const read = (part: RootNode): Pattern => {
    switch (part.type) {
      case 'alternative':
        return sequence(...part.body.map(read));
      case 'disjunction':
        return either(...part.body.map(read));
      case 'group':
        return part.behavior === 'normal' || part.behavior === 'ignore'
          ? sequence(...part.body.map(read))
          : refused(`the assertion ${part.raw}`);
      case 'quantifier':
        return repeated(read(part.body[0]), part.min, part.max);
      case 'value':
        return spell([[part.codePoint, part.codePoint]]);
      case 'dot':
        return spell(flags.includes('s') ? ANY : allBut(LINE_ENDS));
      case 'characterClassEscape':
        return spell(ESCAPES[part.value]!);
      case 'characterClass':
        return spell(classOf(part));
      default:
        return refused(part.raw);
    }
  };
  // `^` and `$` are read where they begin and end an alternative of the whole; elsewhere they are refused.
  const alternative = (part: RootNode): Pattern => {
    const parts = part.type === 'alternative' ? part.body : [part];
    const is = (i: number, kind: string): boolean => {
      const at = parts.at(i);
      return at?.type === 'anchor' && at.kind === kind;
    };
    const [begins, ends] = [is(0, 'start'), is(-1, 'end')];
    const rest = holds === 'anywhere' ? repeated(spell(ANY), 0) : nothing;
    const inner = parts.slice(begins ? 1 : 0, parts.length - (ends ? 1 : 0)).map(read);
    return sequence(begins ? nothing : rest, ...inner, ends ? nothing : rest);
  };
  const alternatives = root.type === 'disjunction' ? root.body : [root];
  return either(...alternatives.map(alternative));
}
