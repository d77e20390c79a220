import type { Progress } from '../../src/index.ts';
import { make, makeButton } from './dom.ts';

const PHASES: Record<Progress['phase'], string> = {
  fetch: 'Fetching',
  upload: 'Weights',
  quantize: 'Quantising',
  compile: 'Kernels',
  verify: 'Verifying',
  tune: 'Tuning',
};

/** How far a load has come. Phases run side by side: the bar is their mean. */
export class LoadProgress {
  readonly element: HTMLElement;
  readonly #text = make('span', {}, 'Opening the model');
  readonly #bar = make('progress', { max: 1, 'aria-label': 'Loading the model' });
  readonly #phases = new Map<Progress['phase'], Progress>();

  /** With a button to cancel, where that is not offered elsewhere. */
  constructor(onCancel?: () => void) {
    this.element = make(
      'div',
      { class: 'progress' },
      make('div', { class: 'heading' }, this.#text, ...(onCancel ? [makeButton('Cancel', onCancel)] : [])),
      this.#bar,
    );
  }

  update(progress: Progress): void {
    this.#phases.set(progress.phase, progress);
    const parts = [...this.#phases.values()];
    this.#text.textContent = parts.map(describe).join(' · ');
    this.#bar.value = parts.reduce((sum, { loaded, total }) => sum + loaded / Math.max(1, total), 0) / parts.length;
  }
}

const describe = ({ phase, loaded, total }: Progress): string =>
  phase === 'compile' || phase === 'tune'
    ? `${PHASES[phase]} ${loaded} of ${total}`
    : `${PHASES[phase]} ${Math.round((100 * loaded) / Math.max(1, total))} %`;
