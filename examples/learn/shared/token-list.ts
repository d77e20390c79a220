import { make } from '../../shared/dom.ts';

/** White space as signs: a token may be nothing else. */
export const visible = (text: string): string => text.replaceAll('\n', '↵').replaceAll(' ', '·').replaceAll('�', '▯');

/** The tokens of a text as buttons in a row. */
export class TokenList {
  #chosen = 0;

  constructor(
    readonly place: HTMLElement,
    /** Called when a token is chosen: by a click, by the focus, or by the pointer over it. */
    private readonly onChoose: (index: number) => unknown,
  ) {}

  get chosen(): number {
    return this.#chosen;
  }

  /** Shows other tokens; `chosen` is the place of one. */
  show(texts: readonly string[], chosen: number): void {
    this.place.replaceChildren(
      ...texts.map((text, i) => {
        const button = make('button', { type: 'button', class: 'token' }, visible(text));
        for (const event of ['click', 'focus', 'pointerenter']) button.addEventListener(event, () => this.choose(i));
        return make('li', {}, button);
      }),
    );
    this.#chosen = Math.max(0, Math.min(chosen, texts.length - 1));
    this.#press();
  }

  choose(index: number): void {
    if (index === this.#chosen) return;
    this.#chosen = index;
    this.#press();
    this.onChoose(index);
  }

  /** Shades each token by a share of 0 to 1, and says what that is. */
  shade(shares: ArrayLike<number>, said: (index: number) => string): void {
    this.#buttons.forEach((button, i) => {
      button.style.setProperty('--share', String(shares[i] ?? 0));
      button.title = said(i);
    });
  }

  get #buttons(): HTMLButtonElement[] {
    return [...this.place.querySelectorAll('button')];
  }

  #press(): void {
    for (const [i, button] of this.#buttons.entries()) button.setAttribute('aria-pressed', String(i === this.#chosen));
  }
}
