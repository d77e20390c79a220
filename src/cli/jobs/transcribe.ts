import type { TranscribeOptions, Transcription } from '../../models/seq2seq/whisper/options.ts';
import { type Job, readAll } from './job.ts';
import { loadTranscriber, type ModelArgs } from './load.ts';

export interface TranscribeArgs extends ModelArgs {
  /** A WAV file that is lent. */
  readonly audio: string;
  readonly options: Pick<TranscribeOptions, 'language' | 'task' | 'timestamps'>;
}

/** What is said in a WAV file; every segment is told as it comes. */
export const transcribe: Job<TranscribeArgs, Transcription> = async ({ audio, options, ...args }, context) => {
  const model = await loadTranscriber(args, context);
  const file = new Blob([(await readAll(context, audio)) as Uint8Array<ArrayBuffer>]);
  const going = model.transcribe(file, { ...options, signal: context.signal });
  for (;;) {
    const { value, done } = await going.next();
    if (done) return value;
    context.emit({ type: 'part', part: value });
  }
};
