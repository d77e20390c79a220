import { TilewrightError } from '../../src/errors.ts';
import { make, makeButton } from './dom.ts';

/** The place of a page where it says what went wrong: code, message, what to do. */
export class ProblemBox {
  constructor(readonly element: HTMLElement) {}

  clear(): void {
    this.element.replaceChildren();
  }

  /** What the person asked for themselves is not bad, only said. */
  show(error: unknown, retry?: () => unknown): void {
    const known = error instanceof TilewrightError;
    const aborted = known && error.code === 'aborted';
    const buttons = [
      ...(retry ? [makeButton(aborted ? 'Start again' : 'Try again', retry)] : []),
      makeButton('Dismiss', () => this.clear()),
    ];
    this.element.replaceChildren(
      make(
        'div',
        { class: aborted ? 'notice' : 'notice bad', 'data-code': known ? error.code : 'unexpected' },
        make('span', { class: 'code' }, known ? error.code : 'unexpected'),
        make('p', {}, error instanceof Error ? error.message : String(error)),
        ...(known && error.hint ? [make('p', { class: 'small soft' }, error.hint)] : []),
        make('div', { class: 'row' }, ...buttons),
      ),
    );
    if (!known) console.error(error);
  }
}
