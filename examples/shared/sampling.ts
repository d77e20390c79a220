import { byId } from './dom.ts';

const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);

/** The number of an input of the page; undefined where it is empty. */
export const optionalNumber = (id: string): number | undefined =>
  input(id).value === '' ? undefined : input(id).valueAsNumber;

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

/** How tokens are drawn, and how many at the most, as the page has it; what is empty is left to the engine, what is out of range is its to refuse. */
export const readSampling = () => ({
  temperature: input('temperature').valueAsNumber,
  topP: input('top-p').valueAsNumber,
  maxNewTokens: optionalNumber('tokens'),
});
