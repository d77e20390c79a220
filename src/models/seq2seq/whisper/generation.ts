import { TilewrightError } from '../../../errors.ts';
import { checkFields, either, flag, integer, list, number, oneOf, type Rule, valuesOf } from '../../../options.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a folder says of transcribing: tokens by what they mean, and what holds where the caller says nothing. */
export interface WhisperGeneration {
  readonly start: number;
  readonly end: number;
  /** The last token before the times, <|notimestamps|>. Time t is token `noTimes` + 1 + t / 0.02 s. */
  readonly noTimes: number;
  /** <|startofprev|>, before what was said before. */
  readonly previous: number | undefined;
  /** Tokens by <|en|>, and by `transcribe`. Undefined for a model of English alone. */
  readonly languages: Readonly<Record<string, number>> | undefined;
  readonly tasks: Readonly<Record<string, number>> | undefined;
  /** Tokens that are never drawn, and those that are not drawn first. */
  readonly never: readonly number[];
  readonly notFirst: readonly number[];
  /** The latest time that a window begins with, in steps of 0.02 s. */
  readonly latestStart: number | undefined;
  /** Tokens of a window at the most, beside those that it begins with. */
  readonly most: number | undefined;
  readonly defaults: {
    readonly timestamps?: boolean;
    readonly logProbabilityThreshold?: number;
    readonly compressionRatioThreshold?: number;
    readonly noSpeechThreshold?: number;
    readonly conditionOnPrevious?: boolean;
  };
}

const ID = integer(0);
const ZERO = oneOf(0);
const ONE = oneOf(1);
const IDS = valuesOf(ID);
const NOTHING: Rule = ['nothing', (value) => Array.isArray(value) && !value.length];

/** What is read, and what would change the text and is not computed: at its neutral value. */
const RULES: Readonly<Record<string, Rule>> = {
  decoder_start_token_id: ID,
  eos_token_id: either(ID, list(ID, 1)),
  no_timestamps_token_id: ID,
  prev_sot_token_id: ID,
  is_multilingual: flag,
  lang_to_id: IDS,
  task_to_id: IDS,
  suppress_tokens: list(ID),
  begin_suppress_tokens: list(ID),
  max_initial_timestamp_index: ID,
  max_length: integer(1),
  max_new_tokens: integer(1),
  return_timestamps: flag,
  logprob_threshold: number(),
  compression_ratio_threshold: number(0),
  no_speech_threshold: number(0, 1),
  condition_on_prev_tokens: flag,
  do_sample: oneOf(false),
  ...{ num_beams: ONE, repetition_penalty: ONE, num_return_sequences: ONE, encoder_repetition_penalty: ONE },
  ...{ no_repeat_ngram_size: ZERO, encoder_no_repeat_ngram_size: ZERO, min_length: ZERO, min_new_tokens: ZERO },
  ...{ bad_words_ids: NOTHING, sequence_bias: NOTHING, force_words_ids: NOTHING },
};

/** Reads generation_config.json. Error: `unsupported-option`, also where a token is not named. */
export function readWhisperGeneration(name: string, own: Fields | undefined): WhisperGeneration {
  const where = `${name}: generation_config.json`;
  if (!own)
    throw new TilewrightError('not-found', `${where} is not there: it has the tokens of languages, tasks and times`);
  checkFields(where, own, RULES);
  const said = <T>(field: string): T | undefined => (own[field] ?? undefined) as T | undefined;
  const need = (field: string): number => {
    const id = [said<number | number[]>(field) ?? []].flat()[0];
    if (id !== undefined) return id;
    throw new TilewrightError('unsupported-option', `${where}: ${field}: expected a token, got nothing`);
  };
  const several = said('is_multilingual') !== false;
  const defaults = {
    timestamps: said<boolean>('return_timestamps'),
    logProbabilityThreshold: said<number>('logprob_threshold'),
    compressionRatioThreshold: said<number>('compression_ratio_threshold'),
    noSpeechThreshold: said<number>('no_speech_threshold'),
    conditionOnPrevious: said<boolean>('condition_on_prev_tokens'),
  };
  return {
    start: need('decoder_start_token_id'),
    end: need('eos_token_id'),
    noTimes: need('no_timestamps_token_id'),
    previous: said('prev_sot_token_id'),
    languages: several ? said('lang_to_id') : undefined,
    tasks: several ? said('task_to_id') : undefined,
    never: said('suppress_tokens') ?? [],
    notFirst: said('begin_suppress_tokens') ?? [],
    latestStart: said('max_initial_timestamp_index'),
    most: said('max_new_tokens') ?? said('max_length'),
    defaults: Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined)),
  };
}
