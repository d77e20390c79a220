import type { ModelDataType, ModelSource } from '../../src/index.ts';
import { make } from './dom.ts';
import { fileButton } from './drop.ts';

/** What is to be loaded, and how. */
export interface ModelChoice {
  readonly name: string;
  readonly source: ModelSource;
  readonly dtype: ModelDataType;
}

export interface ModelPickerOptions {
  /** The model that ships: its name for people, and its folder. */
  readonly shipped: { readonly name: string; readonly url: string };
  readonly dtypes: readonly ModelDataType[];
  onChoose(choice: ModelChoice): void;
}

type Kind = 'shipped' | 'address' | 'files';

/** Chooses a model (the one that ships, an address, own files) and the type of its weights. */
export class ModelPicker {
  readonly element: HTMLElement;
  readonly #dtype: HTMLSelectElement;
  readonly #panels: Record<Kind, HTMLElement>;
  readonly #radios: Record<Kind, HTMLInputElement>;
  #chosen: Omit<ModelChoice, 'dtype'>;

  constructor(private readonly options: ModelPickerOptions) {
    const { shipped, dtypes } = options;
    this.#chosen = { name: shipped.name, source: shipped.url };
    this.#dtype = make('select', { id: 'dtype' }, ...dtypes.map((dtype) => make('option', { value: dtype }, dtype)));
    this.#dtype.addEventListener('change', () => this.choose(this.#chosen));
    this.#panels = { shipped: make('div'), address: this.#addressPanel(), files: this.#filesPanel() };
    const kinds: Record<Kind, string> = { shipped: shipped.name, address: 'Address', files: 'Own files' };
    this.#radios = Object.fromEntries(
      Object.keys(kinds).map((kind) => [
        kind,
        make('input', { type: 'radio', name: 'model', value: kind, checked: kind === 'shipped' }),
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
      this.#panels.address,
      this.#panels.files,
      make('div', { class: 'field' }, make('label', { for: 'dtype' }, 'Weights in'), this.#dtype),
    );
    this.#show('shipped');
  }

  get choice(): ModelChoice {
    return { ...this.#chosen, dtype: this.#dtype.value as ModelDataType };
  }

  choose(chosen: Omit<ModelChoice, 'dtype'>): void {
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
    const { shipped } = this.options;
    if (kind === 'shipped' && this.#chosen.source !== shipped.url)
      this.choose({ name: shipped.name, source: shipped.url });
  }

  #show(kind: Kind): void {
    for (const [name, panel] of Object.entries(this.#panels)) panel.hidden = name !== kind;
  }

  #addressPanel(): HTMLElement {
    const input = make('input', {
      type: 'url',
      id: 'address',
      placeholder: 'https://huggingface.co/…/resolve/main/',
      required: true,
      spellcheck: 'false',
      autocomplete: 'url',
    });
    const form = make(
      'form',
      { class: 'field', novalidate: true },
      make('label', { for: 'address' }, 'A folder in the layout of Hugging Face, or one .safetensors or .gguf file'),
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
