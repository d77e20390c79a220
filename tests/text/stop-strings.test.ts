import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StopStrings } from '../../src/text/stop-strings.ts';

/** All that comes out of a text in pieces, and after how many of them it stopped. */
function read(stops: readonly string[], pieces: readonly string[]): { out: string[]; stopped: number | undefined } {
  const strings = new StopStrings(stops);
  const out: string[] = [];
  for (const [i, piece] of pieces.entries()) {
    const { text, stopped } = strings.push(piece);
    out.push(text);
    if (stopped) return { out, stopped: i };
  }
  return { out: [...out, strings.end('')], stopped: undefined };
}

const letters = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom('a', 'b', '😀'), { minLength, maxLength }).map((list) => list.join(''));

it('lets out the text before the first stop string, and never more, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(letters(1, 4), { maxLength: 3 }),
      fc.array(letters(0, 3), { maxLength: 12 }),
      (stops, pieces) => {
        const whole = pieces.join('');
        const ends = Array.from({ length: whole.length + 1 }, (_, end) => whole.slice(0, end));
        const first = ends.find((text) => stops.some((stop) => text.endsWith(stop)));
        const lengths = stops.filter((stop) => first?.endsWith(stop)).map((stop) => stop.length);
        const expected = first === undefined ? whole : first.slice(0, first.length - Math.max(...lengths));
        const { out, stopped } = read(stops, pieces);
        expect(stopped !== undefined).toBe(first !== undefined);
        expect(out.join('')).toBe(expected);
      },
    ),
    { numRuns: 3000 },
  );
});

it('holds back no more than the beginning of a stop string', () => {
  expect(read(['</s>', '\nUser:'], ['Hi', ' <', 'b>\n', 'Us', 'e it', '\nUser', ':', 'x'])).toEqual({
    out: ['Hi', ' ', '<b>', '', '\nUse it', '', ''],
    stopped: 6,
  });
  expect(read(['aab'], ['aa', 'a', 'b'])).toEqual({ out: ['', 'a', ''], stopped: 2 });
  expect(read(['abc'], ['x', 'ab'])).toEqual({ out: ['x', '', 'ab'], stopped: undefined });
  expect(read([], ['a', 'b'])).toEqual({ out: ['a', 'b', ''], stopped: undefined });
});
