import type { ModelDataType, ModelSource } from '../../src/index.ts';
import { make, makeButton } from './dom.ts';
import { fileButton } from './drop.ts';
import { bytes } from './format.ts';

/** What is to be loaded, and how. */
export interface ModelChoice {
  readonly name: string;
  readonly source: ModelSource;
  readonly dtype: ModelDataType;
  /** Whether what is fetched of it is kept for the next time. Default false. */
  readonly cache?: boolean;
}

/** A model to begin with: its name for people, where it lies, and the bytes of its weights, unless it comes with the page. */
export interface Offer {
  readonly name: string;
  readonly source: string;
  readonly bytes?: number;
}

export interface ModelPickerOptions {
  /** One alone is chosen with its segment; of several each has a button. */
  readonly offers: readonly [Offer, ...Offer[]];
  readonly dtypes: readonly ModelDataType[];
  /** Where is asked before much is fetched. Default: below the choice. */
  readonly place?: HTMLElement;
  onChoose(choice: ModelChoice): void;
}

type Chosen = Omit<ModelChoice, 'dtype' | 'cache'>;

type Kind = 'offers' | 'address' | 'files';

/** Chooses a model (an offer, a name or an address, own files) and the type of its weights. Asks before much is fetched. */
export class ModelPicker {
  readonly element: HTMLElement;
  readonly #dtype: HTMLSelectElement;
  readonly #panels: Record<Kind, HTMLElement>;
  readonly #radios: Record<Kind, HTMLInputElement>;
  readonly #place: HTMLElement;
  #chosen: Chosen | undefined;
  #asking: AbortController | undefined;

  constructor(private readonly options: ModelPickerOptions) {
    const { offers, dtypes, place = make('div') } = options;
    this.#place = place;
    place.classList.add('ask');
    place.setAttribute('role', 'status');
    const [first] = offers;
    const alone = offers.length === 1;
    if (alone) this.#chosen = first;
    this.#dtype = make('select', { id: 'dtype' }, ...dtypes.map((dtype) => make('option', { value: dtype }, dtype)));
    this.#dtype.addEventListener('change', () => this.#chosen && this.choose(this.#chosen));
    this.#panels = {
      offers: alone ? make('div') : this.#offersPanel(),
      address: this.#addressPanel(),
      files: this.#filesPanel(),
    };
    const kinds: Record<Kind, string> = {
      offers: alone ? first.name : 'Suggested',
      address: 'Address',
      files: 'Own files',
    };
    this.#radios = Object.fromEntries(
      Object.keys(kinds).map((kind) => [
        kind,
        make('input', { type: 'radio', name: 'model', value: kind, checked: kind === 'offers' }),
      ]),
    ) as Record<Kind, HTMLInputElement>;
    const segments = Object.entries(this.#radios).map(([kind, radio]) => {
      radio.addEventListener('change', () => this.#open(kind as Kind));
      return make('label', {}, radio, kinds[kind as Kind]);
    });
    this.element = make(
      'div',
      { class: 'stack picker' },
      make(
        'fieldset',
        {},
        make('legend', { class: 'for-readers' }, 'Model'),
        make('div', { class: 'segments' }, ...segments),
      ),
      ...Object.values(this.#panels),
      make('div', { class: 'field' }, make('label', { for: 'dtype' }, 'Weights in'), this.#dtype),
      ...(options.place ? [] : [place]),
    );
    this.#show('offers');
  }

  /** What was chosen last; the first offer until then. */
  get choice(): ModelChoice {
    const chosen = this.#chosen ?? this.options.offers[0];
    const { name, source } = chosen;
    return { name, source, dtype: this.#dtype.value as ModelDataType, cache: !this.#ships(chosen) };
  }

  /** Whether it comes with the page. */
  #ships(chosen: Chosen): boolean {
    return this.options.offers.some((offer) => offer === chosen && !offer.bytes);
  }

  async choose(chosen: Chosen): Promise<void> {
    this.#asking?.abort();
    this.#place.replaceChildren();
    const own = new AbortController();
    this.#asking = own;
    const { name, source } = chosen;
    if (typeof source === 'string' && !this.#ships(chosen)) {
      const { askBefore } = await import('./download.ts');
      if (!(await askBefore(name, source, this.#place, own.signal))) return;
    }
    this.#chosen = chosen;
    this.options.onChoose(this.choice);
  }

  /** Takes files that were dropped or picked: one .safetensors or .gguf, or the files of a folder. */
  chooseFiles(files: readonly File[]): void {
    if (!files.length) return;
    this.#radios.files.checked = true;
    this.#show('files');
    const [only] = files;
    const single = files.length === 1 && /\.(safetensors|gguf)$/.test(only!.name);
    const folder = only!.webkitRelativePath.split('/')[0];
    this.choose({ name: single ? only!.name : folder || `${files.length} files`, source: single ? only! : files });
  }

  #open(kind: Kind): void {
    this.#show(kind);
    const { offers } = this.options;
    if (kind === 'offers' && offers.length === 1 && this.#chosen !== offers[0]) this.choose(offers[0]);
  }

  #show(kind: Kind): void {
    for (const [name, panel] of Object.entries(this.#panels)) panel.hidden = name !== kind;
  }

  #offersPanel(): HTMLElement {
    const rows = this.options.offers.map((offer) => {
      const button = makeButton(offer.name, () => this.choose(offer));
      if (offer.bytes) button.append(make('span', { class: 'soft small numbers' }, bytes(offer.bytes)));
      return make('li', {}, button);
    });
    return make('ul', { class: 'offers', 'aria-label': 'Suggested models' }, ...rows);
  }

  #addressPanel(): HTMLElement {
    const input = make('input', {
      type: 'text',
      inputmode: 'url',
      id: 'address',
      placeholder: 'org/model',
      required: true,
      spellcheck: 'false',
      autocomplete: 'url',
    });
    const form = make(
      'form',
      { class: 'field', novalidate: true },
      make(
        'label',
        { for: 'address' },
        'A name on the hub, a folder in the layout of Hugging Face, or one .safetensors or .gguf file',
      ),
      make('div', { class: 'row joined' }, input, make('button', { type: 'submit' }, 'Load')),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const url = input.value.trim();
      if (url) this.choose({ name: url.replace(/\/+$/, '').split('/').at(-1) ?? url, source: url });
      else input.focus();
    });
    return form;
  }

  #filesPanel(): HTMLElement {
    const take = (files: readonly File[]): void => this.chooseFiles(files);
    return make(
      'div',
      { class: 'field' },
      make(
        'div',
        { class: 'row' },
        ...fileButton('Choose files…', take, { id: 'model-files', accept: '.safetensors,.gguf,.json' }),
        ...fileButton('Choose a folder…', take, { webkitdirectory: true }),
      ),
      make(
        'p',
        { class: 'small soft' },
        'A .safetensors or .gguf file, or config.json and the rest of its folder. Files stay on this machine.',
      ),
    );
  }
}
