import { readJsonTensor } from '../../src/formats/json-tensor.ts';
import { readNpy } from '../../src/formats/npy.ts';
import { type GraphNumbers, type GraphValue, type Picture, TilewrightError } from '../../src/index.ts';
import { fromNpy, madeUp, symbolsFrom } from '../../src/onnx/exchange.ts';
import { PREPROCESSING, pictureInput, pictureTensor } from '../../src/onnx/pictures.ts';
import { decodePicture } from '../../src/vision/decode.ts';
import type { Preprocessing } from '../../src/vision/preprocess.ts';
import { make, makeButton } from '../shared/dom.ts';
import { fileButton } from '../shared/drop.ts';

/** What a person gave for an input: a tensor, or a picture that becomes one. */
type Given = { readonly file: string } & ({ readonly tensor: GraphNumbers } | { readonly picture: Picture });

/** Ways to make numbers of a picture, for people. */
const WAYS: Readonly<Record<string, string>> = {
  imagenet: 'as for ImageNet',
  unit: '0 to 1',
  signed: '−1 to 1',
  bytes: '0 to 255',
};
const OWN = 'own';

/** Sizes that a symbol begins with: what is first is a batch, what is not a picture's side may be a length. */
const [BATCH, SIDE, LENGTH] = [1, 224, 8];

/** What made-up numbers are drawn from. */
const SEED = 0;

const isTensorFile = (name: string): boolean => /\.(npy|json)$/i.test(name);

/** Whether a file is for an input and not for a model. */
export const isInputFile = ({ name, type }: File): boolean => type.startsWith('image/') || isTensorFile(name);

/** An input: what it takes, and what it gets. */
class InputRow {
  readonly element: HTMLElement;
  readonly #source = make('span', { class: 'source soft small' });
  readonly #random: HTMLButtonElement;
  readonly #way: HTMLSelectElement;
  #given: Given | undefined;

  constructor(
    readonly value: GraphValue,
    /** What the model itself says of its pictures. */
    private readonly own: Preprocessing | undefined,
    onFiles: (files: readonly File[], row: InputRow) => unknown,
  ) {
    const { name, type, dims } = value;
    const ways = own ? [[OWN, 'as the model says'], ...Object.entries(WAYS)] : Object.entries(WAYS);
    this.#way = make(
      'select',
      { 'aria-label': `How ${name} takes a picture` },
      ...ways.map(([key, text]) => make('option', { value: key! }, text!)),
    );
    this.#random = makeButton('Random', () => this.give(undefined));
    const accept = pictureInput(value, ANY) ? '.npy,.json,image/*' : '.npy,.json';
    const choose = fileButton('Choose…', (files) => onFiles(files, this), { accept, multiple: false });
    choose[1].setAttribute('aria-label', `Choose a file for ${name}`);
    this.element = make(
      'li',
      {},
      make(
        'div',
        { class: 'heading' },
        make('strong', {}, name),
        make(
          'span',
          { class: 'soft small' },
          `${type}${dims ? ` [${dims.map((size) => (size === '' ? '?' : size)).join(', ')}]` : ''}`,
        ),
      ),
      make('div', { class: 'row' }, this.#source, ...choose, this.#random, this.#way),
    );
    this.give(undefined);
  }

  give(given: Given | undefined): void {
    this.#given = given;
    this.#source.textContent = given?.file ?? 'random numbers';
    this.#random.hidden = !given;
    this.#way.hidden = !(given && 'picture' in given);
  }

  get givenDims(): readonly number[] | undefined {
    return this.#given && 'tensor' in this.#given ? this.#given.tensor.dims : undefined;
  }

  /** What goes in. Error: `wrong-shape` for a picture where none fits. */
  tensor(symbols: ReadonlyMap<string, number>): GraphNumbers {
    const given = this.#given;
    if (!given) return madeUp(this.value, symbols, SEED);
    if ('tensor' in given) return given.tensor;
    const { name, dims } = this.value;
    const input = pictureInput(this.value, Object.fromEntries(symbols));
    const { height = given.picture.height, width = given.picture.width } = input ?? {};
    if (!input)
      throw new TilewrightError('wrong-shape', `the input '${name}' [${dims}] takes no picture of 1 or 3 channels`);
    const way = this.#way.value;
    const preprocessing = way === OWN ? this.own! : { ...PREPROCESSING[way]!, size: [height, width] as const };
    return pictureTensor(input, [given.picture], preprocessing);
  }
}

/** Symbols may be anything: a picture may fit. */
const ANY: Readonly<Record<string, number>> = new Proxy({}, { get: () => 3 });

/** The inputs of a model: numbers for its symbols, and what each input gets. */
export class InputForm {
  #rows: readonly InputRow[] = [];
  #fields = new Map<string, HTMLInputElement>();

  constructor(
    private readonly dims: HTMLElement,
    private readonly list: HTMLElement,
    private readonly onProblem: (error: unknown) => void,
  ) {}

  show(inputs: readonly GraphValue[], own?: Preprocessing): void {
    this.#rows = inputs.map((value) => new InputRow(value, own, (files, row) => this.#give(files[0]!, row)));
    this.list.replaceChildren(...this.#rows.map(({ element }) => element));
    this.#fields = new Map();
    for (const { dims = [] } of inputs)
      dims.forEach((symbol, place) => {
        if (typeof symbol === 'number' || this.#fields.has(symbol)) return;
        const channels = dims.findIndex((size) => size === 1 || size === 3);
        const isSide = dims.length === 4 && place > 0 && channels > 0;
        const value = String(place === 0 ? BATCH : isSide ? SIDE : LENGTH);
        const id = `dim-${this.#fields.size}`;
        this.#fields.set(symbol, make('input', { type: 'number', min: '0', step: '1', value, id, required: true }));
      });
    this.dims.replaceChildren(
      ...[...this.#fields].map(([symbol, field]) =>
        make('div', { class: 'field' }, make('label', { for: field.id }, symbol || 'sizes without a name'), field),
      ),
    );
  }

  /** Files for inputs: those that have an input's name, else for the first input without a file. */
  async take(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const stem = file.name.replace(/\.[^.]*$/, '');
      const isPicture = !isTensorFile(file.name);
      const fits = this.#rows.filter(({ value }) => !isPicture || pictureInput(value, ANY));
      const row = fits.find(({ value }) => encodeURIComponent(value.name) === stem || value.name === stem) ?? fits[0];
      if (row) await this.#give(file, row);
      else this.onProblem(new TilewrightError('invalid-argument', `no input of this model takes ${file.name}`));
    }
  }

  async #give(file: File, row: InputRow): Promise<void> {
    try {
      row.give({ file: file.name, ...(await read(file, row.value)) });
    } catch (error) {
      this.onProblem(error);
    }
  }

  /** What goes in, by name. Errors: `invalid-argument`, `wrong-shape`. */
  tensors(): Record<string, GraphNumbers> {
    const dims: Record<string, number> = {};
    for (const [symbol, field] of this.#fields) dims[symbol] = field.valueAsNumber;
    const given = this.#rows.flatMap(({ value, givenDims }) =>
      givenDims ? [{ name: value.name, dims: givenDims }] : [],
    );
    const symbols = symbolsFrom(
      this.#rows.map(({ value }) => value),
      given,
      dims,
    );
    return Object.fromEntries(this.#rows.map((row) => [row.value.name, row.tensor(symbols)]));
  }
}

async function read(file: File, value: GraphValue): Promise<{ tensor: GraphNumbers } | { picture: Picture }> {
  if (!isTensorFile(file.name)) return { picture: await decodePicture(file) };
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (/\.json$/i.test(file.name)) return { tensor: readJsonTensor(file.name, bytes) };
  const { type, dims, bytes: numbers } = readNpy(file.name, bytes);
  return { tensor: { dims, data: fromNpy(value, type, numbers) } };
}
