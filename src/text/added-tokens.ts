/** A token that is found in the text before the vocabulary is asked. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** It is looked for in the text as it is normalised; absent, special tokens are not. */
  readonly normalized?: boolean;
  readonly special?: boolean;
  /** Only where no letter, digit or underscore stands beside it. */
  readonly single_word?: boolean;
  /** Takes the white space before it along. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

const SPACE = /\p{White_Space}/u;
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const [WORD_BEFORE, WORD_AFTER] = [new RegExp(`${WORD}$`, 'u'), new RegExp(`^${WORD}`, 'u')];

const escaped = (content: string): string => content.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Splits a text at added tokens: the leftmost first, of those the longest. */
export function addedTokenSplitter(tokens: readonly AddedToken[]): (text: string) => (string | AddedToken)[] {
  const byContent = new Map(tokens.filter(({ content }) => content).map((token) => [token.content, token]));
  if (!byContent.size) return (text) => (text ? [text] : []);
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escaped).join('|'), 'g');
  return (text) => {
    const parts: (string | AddedToken)[] = [];
    let at = 0;
    for (const { 0: content, index } of text.matchAll(pattern)) {
      const token = byContent.get(content)!;
      let [start, stop] = [index, index + content.length];
      if (
        token.single_word &&
        (WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) || WORD_AFTER.test(text.slice(stop, stop + 2)))
      )
        continue;
      if (token.lstrip) while (start > at && SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) while (stop < text.length && SPACE.test(text[stop]!)) stop++;
      if (at < start) parts.push(text.slice(at, start));
      parts.push(token);
      at = stop;
    }
    if (at < text.length) parts.push(text.slice(at));
    return parts;
  };
}
