import { TilewrightError } from '../src/errors.ts';
import { checkOptions, list, oneOf, type Rules, shown, text } from '../src/options.ts';
import { ALL_SUITES, type BenchDataType, DTYPES, type EngineName, PEERS, type SuiteName } from './report.ts';

/** `tiny` only shows that everything works. */
export const PRESETS = ['tiny', 'quick', 'full'] as const;
export type PresetName = (typeof PRESETS)[number];

/** What a run of the bench is asked to do: the same for the page, its address and the command. */
export interface BenchParameters {
  /** By the kind of the adapter where absent: `quick` on a software adapter, else `full`. */
  preset?: PresetName;
  /** All that run by default where absent. */
  suites?: readonly SuiteName[];
  /** Only the cases whose name, shape and type have this in them. */
  only?: string;
  /** Only cases of these types. */
  dtypes?: readonly BenchDataType[];
  /** Measured beside Tilewright, their results compared first. */
  peers?: readonly EngineName[];
  /** What the user calls the GPU. */
  gpu?: string;
}

/** What the address calls each: a list is the same name several times, as a form sends it. */
const NAMES = {
  preset: 'preset',
  suites: 'suite',
  only: 'only',
  dtypes: 'dtype',
  peers: 'peer',
  gpu: 'gpu',
} as const satisfies Record<keyof BenchParameters, string>;

const RULES: Rules<BenchParameters> = {
  preset: oneOf(...PRESETS),
  suites: list(oneOf(...ALL_SUITES)),
  only: text,
  dtypes: list(oneOf(...DTYPES)),
  peers: list(oneOf(...PEERS)),
  gpu: text,
};

const LISTS: readonly string[] = ['suites', 'dtypes', 'peers'];

/** Checks names and values. Error: `invalid-argument`. */
export const checkParameters = (parameters: BenchParameters): void => checkOptions('the bench', parameters, RULES);

/** The parameters as the address has them: `preset=quick&suite=matmul&suite=gemv`. */
export function toSearch(parameters: BenchParameters): URLSearchParams {
  checkParameters(parameters);
  const search = new URLSearchParams();
  for (const [option, name] of Object.entries(NAMES)) {
    const value = parameters[option as keyof BenchParameters] ?? [];
    for (const one of [value].flat()) search.append(name, one);
  }
  return search;
}

/** The parameters that an address has. Error: `invalid-argument` for a name or a value that there is not, or a name twice. */
export function fromSearch(search: URLSearchParams): BenchParameters {
  const options = new Map<string, string>(Object.entries(NAMES).map(([option, name]) => [name, option]));
  const parameters: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const option = options.get(name);
    const values = search.getAll(name);
    if (option === undefined)
      throw new TilewrightError(
        'invalid-argument',
        `the bench: there is no parameter ${name} (got ${shown(values[0])})`,
        {
          hint: `There are ${[...options.keys()].join(', ')}.`,
        },
      );
    if (!LISTS.includes(option) && values.length > 1)
      throw new TilewrightError('invalid-argument', `the bench: ${name}: expected one value, got ${shown(values)}`);
    parameters[option] = LISTS.includes(option) ? [...new Set(values)] : values[0];
  }
  checkParameters(parameters as BenchParameters);
  return parameters as BenchParameters;
}
