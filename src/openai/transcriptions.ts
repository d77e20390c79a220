import { TilewrightError } from '../errors.ts';
import type { Segment, TranscribeOptions, Transcription } from '../models/seq2seq/whisper/options.ts';
import { checkFields, number, oneOf, type Rule, refuse, text } from '../options.ts';
import type { Body } from './request.ts';

/** What of a `Transcriber` answers. */
export interface Transcribing {
  /** Streams the segments of a WAV file. */
  transcribe(audio: Blob, options?: TranscribeOptions): AsyncGenerator<Segment, Transcription>;
}

/** What was said, as clients take it: text alone, or with the times of its segments. */
export interface AudioTranscription {
  readonly text: string;
  readonly task?: 'transcribe' | 'translate';
  readonly language?: string;
  readonly duration?: number;
  readonly segments?: readonly {
    readonly id: number;
    readonly start: number;
    readonly end: number;
    readonly text: string;
    readonly tokens: readonly number[];
    readonly temperature: number;
    readonly avg_logprob: number;
    readonly no_speech_prob: number;
  }[];
}

const FILE: Rule = ['a WAV file', (value) => value instanceof Blob];
const FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'];
const NUMBER: Rule = [number(0, 1)[0], (value) => number(0, 1)[1](typeof value === 'string' ? Number(value) : value)];
const FIELDS: Readonly<Record<string, Rule>> = {
  file: FILE,
  model: text,
  language: text,
  response_format: oneOf(...FORMATS),
  temperature: NUMBER, // a form has texts alone
  stream: ['false', (value) => value === false || value === 'false'],
};

/**
 * Answers a request for what an audio file says, or for its translation into English: a text where the format is one. Errors: `invalid-argument` for
 * what is not done here, by its name; `invalid-file`; those of `Transcriber.transcribe`.
 */
export async function transcriptions(
  model: Transcribing,
  body: Body,
  task: 'transcribe' | 'translate',
  signal: AbortSignal | undefined,
): Promise<AudioTranscription | string> {
  checkFields('audio', body, FIELDS, { code: 'invalid-argument' });
  const unknown = Object.keys(body).find((field) => !Object.hasOwn(FIELDS, field));
  if (unknown) throw new TilewrightError('invalid-argument', `audio: ${unknown} is not known here`);
  const { file, language, temperature, response_format: format = 'json' } = body as Record<string, string | undefined>;
  if (file === undefined) refuse('invalid-argument', 'audio', 'file', FILE[0], file);
  const going = model.transcribe(file as unknown as Blob, {
    task,
    ...(language !== undefined && { language }),
    ...(temperature !== undefined && { temperature: Number(temperature) }),
    ...(signal && { signal }),
  });
  for (;;) {
    const { value, done } = await going.next();
    if (done) return written(value, format, task);
  }
}

function written(
  { text, language, duration, segments }: Transcription,
  format: string,
  task: 'transcribe' | 'translate',
): AudioTranscription | string {
  const timed = (mark: string) =>
    segments.map(({ start, end, text }) => `${clock(start, mark)} --> ${clock(end, mark)}\n${text.trim()}\n`);
  switch (format) {
    case 'text':
      return `${text.trim()}\n`;
    case 'srt':
      return timed(',')
        .map((part, i) => `${i + 1}\n${part}`)
        .join('\n');
    case 'vtt':
      return ['WEBVTT\n', ...timed('.')].join('\n');
    case 'verbose_json':
      return {
        ...{ task, language: language ?? 'en', duration, text },
        segments: segments.map(({ logProbability, noSpeech, ...rest }, id) => ({
          ...{ id, ...rest, avg_logprob: logProbability, no_speech_prob: noSpeech },
        })),
      };
    default:
      return { text };
  }
}

/** Hours, minutes, seconds and thousandths, as subtitles have them. */
function clock(seconds: number, mark: string): string {
  const all = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value) % 60).padStart(2, '0');
  const hours = String(Math.floor(all / 3_600_000)).padStart(2, '0');
  return `${hours}:${two(all / 60_000)}:${two(all / 1000)}${mark}${String(all % 1000).padStart(3, '0')}`;
}
