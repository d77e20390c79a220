import type { Prediction } from '../../src/index.ts';
import { make } from '../shared/dom.ts';
import { percent } from '../shared/format.ts';

/** Draws predictions as bars, best first. The rows stay, so that the bars move from one result to the next. */
export function drawBars(list: HTMLElement, predictions: readonly Prediction[]): void {
  while (list.children.length < predictions.length) {
    const track = make('span', { class: 'track', 'aria-hidden': 'true' }, make('span'));
    list.append(make('li', {}, make('span', { class: 'label' }), make('span', { class: 'share' }), track));
  }
  while (list.children.length > predictions.length) list.lastElementChild?.remove();
  predictions.forEach(({ label, probability }, i) => {
    const [name, share, track] = list.children[i]!.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    name.textContent = label;
    name.title = label;
    share.textContent = percent(probability);
    track.style.setProperty('--share', String(probability));
  });
}
