import { TilewrightError } from '../../errors.ts';
import { checkFields, flag, integer, list, number, oneOf, type Rule } from '../../options.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How rotary embedding turns pairs of elements of a head, as a config says it. */
export interface RotaryConfig {
  readonly where: string;
  /** Elements of a head that are turned. */
  readonly size: number;
  readonly theta: number;
  /** rope_scaling or rope_parameters. Empty: the angles are as theta gives them. */
  readonly scaling: Fields;
  /** max_position_embeddings and original_max_position_embeddings of the config. */
  readonly trained: number;
  readonly original: number | undefined;
}

/** Radians that each pair turns from one position to the next, and a factor of cosine and sine. */
export interface Frequencies {
  readonly steps: readonly number[];
  readonly factor: number;
}

const POSITIVE: Rule = ['a number above 0', (value) => typeof value === 'number' && value > 0];
const LENGTH = integer(1);
/** Fields that stand beside the numbers of any kind of scaling. */
const COMMON = {
  rope_theta: POSITIVE,
  partial_rotary_factor: POSITIVE,
  rope_type: ['', () => true],
  type: ['', () => true],
} satisfies Record<string, Rule>;

const KINDS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  default: {},
  linear: { factor: POSITIVE },
  dynamic: { factor: POSITIVE, original_max_position_embeddings: LENGTH },
  yarn: {
    factor: POSITIVE,
    original_max_position_embeddings: LENGTH,
    attention_factor: POSITIVE,
    beta_fast: POSITIVE,
    beta_slow: POSITIVE,
    mscale: number(0),
    mscale_all_dim: number(0),
    truncate: flag,
  },
  longrope: {
    factor: POSITIVE,
    original_max_position_embeddings: LENGTH,
    attention_factor: POSITIVE,
    short_factor: list(POSITIVE),
    long_factor: list(POSITIVE),
    short_mscale: oneOf(1),
    long_mscale: oneOf(1),
  },
  llama3: {
    factor: POSITIVE,
    original_max_position_embeddings: LENGTH,
    low_freq_factor: POSITIVE,
    high_freq_factor: POSITIVE,
  },
};

/** The kind of scaling, with its fields checked. `su` is an older name of longrope. Error: `unsupported-option`. */
function kindOf({ where, scaling }: RotaryConfig): string {
  const said = scaling['rope_type'] ?? scaling['type'] ?? 'default';
  const kind = said === 'su' ? 'longrope' : said;
  checkFields(where, { rope_type: kind }, { rope_type: oneOf(...Object.keys(KINDS)) });
  const rules = { ...COMMON, ...KINDS[kind as string]! };
  const unknown: Rule = [`no such field of the type ${kind}`, () => false];
  checkFields(
    where,
    scaling,
    Object.fromEntries(Object.keys(scaling).map((name) => [name, rules[name as keyof typeof rules] ?? unknown])),
  );
  return kind as string;
}

const log = Math.log;

/**
 * The frequencies for a cache of `context` positions, as `modeling_rope_utils` of transformers computes them: Su et al.
 * 2021 (default), Chen et al. 2023 (linear), NTK by parts of Peng et al. 2023 (yarn), Ding et al. 2024 (longrope), Llama 3.1.
 * Where they depend on the length of a text (dynamic, longrope), they are those of a text that fills the cache:
 * keys stay valid while it grows.
 */
export function frequencies(config: RotaryConfig, context: number): Frequencies {
  const { size, theta, scaling, trained, where } = config;
  const kind = kindOf(config);
  const said = (name: string): number | undefined => (scaling[name] ?? undefined) as number | undefined;
  const need = (name: string): number => {
    const value = said(name);
    if (value === undefined)
      throw new TilewrightError('unsupported-option', `${where}: ${name}: expected a number, got nothing`);
    return value;
  };
  const pairs = Array.from({ length: size / 2 }, (_, i) => i);
  const plain = (base: number): number[] => pairs.map((i) => 1 / base ** ((2 * i) / size));
  const original = config.original ?? said('original_max_position_embeddings') ?? trained;
  switch (kind) {
    case 'linear':
      return { steps: plain(theta).map((step) => step / need('factor')), factor: 1 };
    case 'dynamic': {
      const factor = need('factor');
      const grown = (factor * Math.max(context, trained)) / trained - (factor - 1);
      return { steps: plain(theta * grown ** (size / (size - 2))), factor: 1 };
    }
    case 'llama3': {
      const [factor, low, high] = [need('factor'), need('low_freq_factor'), need('high_freq_factor')];
      const steps = plain(theta).map((step) => {
        const turns = (original * step) / (2 * Math.PI);
        const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return (1 - share) * (step / factor) + share * step;
      });
      return { steps, factor: 1 };
    }
    case 'longrope': {
      const name = context > original ? 'long_factor' : 'short_factor';
      const each = scaling[name] as readonly number[] | undefined;
      if (each?.length !== pairs.length)
        throw new TilewrightError(
          'unsupported-option',
          `${where}: ${name}: expected ${pairs.length} numbers, got ${each?.length ?? 'nothing'}`,
        );
      const factor = said('factor') ?? trained / original;
      const scale = factor <= 1 ? 1 : Math.sqrt(1 + log(factor) / log(original));
      return { steps: plain(theta).map((step, i) => step / each[i]!), factor: said('attention_factor') ?? scale };
    }
    case 'yarn':
      return yarn(plain(theta), config, said('factor') ?? trained / original, original);
    default:
      return { steps: plain(theta), factor: 1 };
  }
}

/** How many positions a scaling is made for, and how many give what a text of any length gives. */
export function reach({ scaling, trained, original: own }: RotaryConfig): { longest: number; plain: number } {
  const original = own ?? (scaling['original_max_position_embeddings'] as number | undefined);
  const factor = (scaling['factor'] ?? 1) as number;
  const long = ['longrope', 'su'].includes(String(scaling['rope_type'] ?? scaling['type']));
  return {
    longest: Math.max(trained, Math.floor(factor * (original ?? trained))),
    plain: long ? Math.min(trained, original ?? trained) : trained,
  };
}

/** Pairs that turn often in `original` positions stay as they are; those that turn less than once are slowed down by `factor`. */
function yarn(
  steps: readonly number[],
  { size, theta, scaling }: RotaryConfig,
  factor: number,
  original: number,
): Frequencies {
  const said = <T>(name: string, otherwise: T): T => (scaling[name] ?? otherwise) as T;
  const pairOf = (turns: number): number => (size * log(original / (turns * 2 * Math.PI))) / (2 * log(theta));
  let [low, high] = [pairOf(said('beta_fast', 32)), pairOf(said('beta_slow', 1))];
  if (said('truncate', true)) [low, high] = [Math.floor(low), Math.ceil(high)];
  low = Math.max(low, 0);
  high = Math.min(high, size - 1);
  if (low === high) high += 0.001;
  const stretch = (mscale: number): number => (factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1);
  const [mscale, all] = [said('mscale', 0), said('mscale_all_dim', 0)];
  const scale = mscale && all ? stretch(mscale) / stretch(all) : stretch(1);
  return {
    steps: steps.map((step, i) => {
      const slowed = Math.min(1, Math.max(0, (i - low) / (high - low)));
      return (slowed * step) / factor + (1 - slowed) * step;
    }),
    factor: said('attention_factor', scale),
  };
}

/** Cosines and sines [context, pairs] of the angles. Angles are rounded to float32, as the models were trained. */
export function angleTables({ steps, factor }: Frequencies, context: number): { cos: Float32Array; sin: Float32Array } {
  const [cos, sin] = [new Float32Array(context * steps.length), new Float32Array(context * steps.length)];
  const rounded = steps.map(Math.fround);
  for (let at = 0, position = 0; position < context; position++) {
    for (const step of rounded) {
      const angle = Math.fround(position * step);
      cos[at] = Math.cos(angle) * factor;
      sin[at++] = Math.sin(angle) * factor;
    }
  }
  return { cos, sin };
}
