import { make } from '../../examples/shared/dom.ts';
import type { Bar } from './plots.ts';

/** Bars that lie below each other, as a table: each has its name, its length and its figure in words. */
export function barTable(caption: string, bars: readonly Bar[]): HTMLElement {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const line = ({ label, value, text, colour }: Bar): HTMLElement =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, label),
      make(
        'td',
        {},
        make('span', {
          class: 'bar-line',
          style: `--share:${((100 * value) / most).toFixed(2)}%;--colour:var(${colour})`,
        }),
        make('span', { class: 'bar-text' }, text),
      ),
    );
  return make(
    'table',
    { class: 'bars' },
    make('caption', { class: 'for-readers' }, caption),
    make('tbody', {}, ...bars.map(line)),
  );
}
