import { byId, make } from '../../examples/shared/dom.ts';
import { type BenchParameters, fromSearch, toSearch } from '../parameters.ts';
import { PEERS, SUITES } from '../report.ts';
import { keepName, keptName } from './history.ts';

/** The form of what to measure, and the address of the page, which has the same. */
export class ParametersForm {
  readonly #form = byId('form', HTMLFormElement);
  readonly #gpu = byId('gpu', HTMLInputElement);
  #presetChosen = false;

  /** Errors: `invalid-argument` where the address asks for what there is not. */
  constructor(onChange: () => void) {
    this.#gpu.value = keptName();
    this.#form.addEventListener('change', (event) => {
      if ((event.target as HTMLElement).getAttribute('name') === 'preset') this.#presetChosen = true;
      onChange();
      this.#tell();
    });
    this.#gpu.addEventListener('input', () => keepName(this.#gpu.value.trim()));
  }

  /** Takes what the address says. Error: `invalid-argument` for a name or a value that there is not. */
  readAddress(): void {
    const {
      preset,
      suites = SUITES,
      dtypes = [],
      peers = [],
      only = '',
      gpu,
    } = fromSearch(new URLSearchParams(location.search));
    if (import.meta.env.DEV || peers.length) this.#offerPeers();
    for (const [name, values] of Object.entries({ suite: suites, dtype: dtypes, peer: peers })) {
      for (const box of this.#form.querySelectorAll<HTMLInputElement>(`[name=${name}]`))
        box.checked = (values as readonly string[]).includes(box.value);
    }
    byId('only', HTMLInputElement).value = only;
    byId('more', HTMLDetailsElement).open = Boolean(only || dtypes.length || peers.length || suites.includes('custom'));
    if (gpu !== undefined) this.#gpu.value = gpu;
    if (preset) this.#choose(preset);
    this.#presetChosen = preset !== undefined;
  }

  /** The sizes for this adapter, where nobody has chosen others. */
  suggest(preset: 'quick' | 'full'): void {
    if (!this.#presetChosen) this.#choose(preset);
  }

  /** What the form says now. Fields that are disabled count too. */
  get parameters(): BenchParameters {
    const search = new URLSearchParams();
    for (const field of this.#form.elements as Iterable<Element> & HTMLFormControlsCollection) {
      if (!(field instanceof HTMLInputElement) || !field.name) continue;
      const chosen = field.type === 'text' ? field.value.trim() !== '' : field.checked;
      if (chosen) search.append(field.name, field.value.trim());
    }
    return fromSearch(search);
  }

  set enabled(on: boolean) {
    for (const field of this.#form.elements as Iterable<Element> & HTMLFormControlsCollection)
      if (field instanceof HTMLInputElement || field instanceof HTMLFieldSetElement) field.disabled = !on;
  }

  /** The development server has the packages of peers; elsewhere a run that wants them says that they are not there. */
  #offerPeers(): void {
    const boxes = PEERS.map((name) =>
      make('label', { class: 'check' }, make('input', { type: 'checkbox', name: 'peer', value: name }), ` ${name}`),
    );
    byId('peers', HTMLElement).append(...boxes);
    byId('peers', HTMLElement).hidden = false;
  }

  #choose(preset: string): void {
    const find = (): HTMLInputElement | null => this.#form.querySelector(`[name=preset][value=${preset}]`);
    if (!find())
      this.#form
        .querySelector('.segments')!
        .append(make('label', {}, make('input', { type: 'radio', name: 'preset', value: preset }), preset));
    find()!.checked = true;
  }

  /** Writes the choices into the address: the name of the GPU is not one, since a link may go to another machine. */
  #tell(): void {
    const { gpu: _, suites = [], ...rest } = this.parameters;
    const search = toSearch({ ...rest, ...(SUITES.join() === suites.join() ? {} : { suites }) });
    history.replaceState(null, '', `?${search}${location.hash}`);
  }
}
