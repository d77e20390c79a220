import { byId } from '../../shared/dom.ts';

/** The number of a slider of the page, which its `output` beside it shows. */
export interface Slider {
  value: number;
  readonly input: HTMLInputElement;
}

/** A slider of the page: `said` is how its number reads, `onChange` is called when the person moves it. */
export function slider(id: string, onChange: () => unknown, said: (value: number) => string = twoDigits): Slider {
  const input = byId(id, HTMLInputElement);
  const output = document.querySelector<HTMLOutputElement>(`output[for="${id}"]`)!;
  const show = (): void => {
    output.textContent = said(input.valueAsNumber);
    input.setAttribute('aria-valuetext', said(input.valueAsNumber));
  };
  input.addEventListener('input', () => {
    show();
    onChange();
  });
  show();
  return {
    input,
    get value() {
      return input.valueAsNumber;
    },
    set value(value) {
      input.valueAsNumber = value;
      show();
    },
  };
}

/** `−0.50`: as wide with a minus as without. */
export const twoDigits = (value: number): string => value.toFixed(2).replace('-', '−');

export const wholeNumber = (value: number): string => String(value);

/** A `select` of the page: what is chosen. */
export function choice(id: string, onChange: () => unknown): HTMLSelectElement {
  const select = byId(id, HTMLSelectElement);
  select.addEventListener('change', () => onChange());
  return select;
}

/** A group of radio buttons of the page: which is chosen. */
export function radios(name: string, onChange: () => unknown): { readonly value: string } {
  const all = [...document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)];
  for (const input of all) input.addEventListener('change', () => onChange());
  return {
    get value() {
      return all.find(({ checked }) => checked)!.value;
    },
  };
}
