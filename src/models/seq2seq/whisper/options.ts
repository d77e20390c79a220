import { either, flag, integer, list, number, oneOf, type Rules, signal, text } from '../../../options.ts';

/** How audio is transcribed. Options that are left out have the values of generation_config.json, where it says them. */
export interface TranscribeOptions {
  /** Samples a second of a Float32Array: 16000 where absent. A WAV file says its own. Other rates are resampled. */
  sampleRate?: number;
  /** What is spoken, as the model names it: `en`. Absent: it is detected in the first window. */
  language?: string;
  /** What is written: what is said, or its translation into English. Default: `transcribe`. */
  task?: 'transcribe' | 'translate';
  /** Whether segments end where the model says, or are the windows. Default true. */
  timestamps?: boolean;
  /** What the text is drawn at; the next of them where it fails one of the thresholds. 0 is greedy. Default 0, 0.2, 0.4, 0.6, 0.8, 1. */
  temperature?: number | readonly number[];
  /** A text fails whose tokens' mean log-probability is below. Default -1. */
  logProbabilityThreshold?: number;
  /** A text fails whose token ids zlib makes more than so many times as small: it repeats itself. Default 1.35. */
  compressionRatioThreshold?: number;
  /** A window is silence where that is likelier, and the text's mean log-probability below its threshold. Default 0.6. */
  noSpeechThreshold?: number;
  /** Whether a window goes on from the text before it. Default false. */
  conditionOnPrevious?: boolean;
  /** A safe integer from 0 on, for temperatures above 0. Default: another each time. */
  seed?: number;
  /** Ends it with `aborted`. */
  signal?: AbortSignal;
}

export const TRANSCRIBE_RULES: Rules<TranscribeOptions> = {
  sampleRate: integer(1000, 768_000),
  language: text,
  task: oneOf('transcribe', 'translate'),
  timestamps: flag,
  temperature: either(number(0, 100), [
    'a list of those',
    (value) => list(number(0, 100))[1](value) && (value as unknown[]).length > 0,
  ]),
  logProbabilityThreshold: number(),
  compressionRatioThreshold: number(0),
  noSpeechThreshold: number(0, 1),
  conditionOnPrevious: flag,
  seed: integer(0),
  signal,
};

export const TRANSCRIBE_DEFAULTS = {
  timestamps: true,
  temperature: [0, 0.2, 0.4, 0.6, 0.8, 1],
  logProbabilityThreshold: -1,
  compressionRatioThreshold: 1.35,
  noSpeechThreshold: 0.6,
  conditionOnPrevious: false,
} as const;

/** A part of what was said. */
export interface Segment {
  /** Seconds from the beginning of the audio. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Its tokens, times included. */
  readonly tokens: readonly number[];
  /** Of the window's text: the temperature, the mean log-probability of its tokens, and how likely the window is silence. */
  readonly temperature: number;
  readonly logProbability: number;
  readonly noSpeech: number;
}

/** What came of audio: the value that its generator returns. */
export interface Transcription {
  readonly text: string;
  /** As the model names it: `en`. Undefined for a model of English alone. */
  readonly language: string | undefined;
  /** Seconds. */
  readonly duration: number;
  readonly segments: readonly Segment[];
}
