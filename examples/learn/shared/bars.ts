import { make } from '../../shared/dom.ts';

export interface Bar {
  readonly label: string | Node;
  /** How much of the track it fills, 0 to 1. */
  readonly share: number;
  /** What it says at its end. */
  readonly said: string;
  /** A second bar below the first. */
  readonly second?: number;
}

/** Bars with their labels and figures. The elements stay where they are as long as their number does, so that they move. */
export function showBars(list: HTMLElement, bars: readonly Bar[]): void {
  if (list.childElementCount !== bars.length) list.replaceChildren(...bars.map(() => empty()));
  bars.forEach(({ label, share, said, second }, i) => {
    const [name, figure, track, other] = [...list.children[i]!.children] as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    name.replaceChildren(label);
    figure.textContent = said;
    fill(track, share);
    other.hidden = second === undefined;
    fill(other, second ?? 0);
  });
}

const fill = (track: HTMLElement, share: number): void =>
  (track.firstElementChild as HTMLElement).style.setProperty('--share', String(Math.max(0, Math.min(1, share))));

const empty = (): HTMLElement =>
  make(
    'li',
    {},
    make('span', { class: 'label' }),
    make('span', { class: 'figure-text' }),
    make('span', { class: 'track' }, make('span')),
    make('span', { class: 'track second', hidden: true }, make('span')),
  );
