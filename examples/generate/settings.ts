import type { GenerateOptions } from '../../src/index.ts';
import { byId } from '../shared/dom.ts';

const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);

/** Shows the values of the sliders beside them, now and as they move. */
export function showValues(): void {
  for (const id of ['temperature', 'top-p']) {
    const [slider, output] = [input(id), byId(`${id}-value`, HTMLOutputElement)];
    const show = (): void => {
      output.value = id === 'temperature' && slider.valueAsNumber === 0 ? 'greedy' : slider.valueAsNumber.toFixed(2);
    };
    slider.addEventListener('input', show);
    show();
  }
}

/** The settings as the page has them; what is empty is left to the engine, what is out of range is its to refuse. */
export function readSettings(): GenerateOptions {
  const optional = (id: string): number | undefined => (input(id).value === '' ? undefined : input(id).valueAsNumber);
  return {
    temperature: input('temperature').valueAsNumber,
    topP: input('top-p').valueAsNumber,
    topK: optional('top-k'),
    seed: optional('seed'),
    maxNewTokens: optional('tokens'),
    overflow: byId('overflow', HTMLSelectElement).value === 'slide' ? 'slide' : 'stop',
  };
}
