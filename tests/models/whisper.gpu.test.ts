import { describe, expect, it } from 'vitest';
import { melGraph, readMelShape, spectrogram } from '../../src/audio/mel.ts';
import { buildSession } from '../../src/build/build.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import type { Transcriber } from '../../src/models/seq2seq/transcriber.ts';
import type { Segment } from '../../src/models/seq2seq/whisper/options.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';
import { hasShared, readShared } from '../support/shared.ts';
import { wavFile } from '../support/wav-file.ts';

/** What tools/make_whisper_fixtures.py writes beside the weights. */
interface Reference {
  window: Answer;
  translated: Answer;
  long: Answer;
  conditioned: Answer;
  noSpeech: number;
  language: number;
  frames: number[];
}
interface Answer {
  sequence: number[];
  segments: { start: number; end: number; tokens: number[] }[];
  gaps: number[];
}

const FOLDER = repositoryFolder('tests/fixtures/seq2seq/whisper');
const reference = async (): Promise<Reference> =>
  JSON.parse(new TextDecoder().decode(await readAnywhere(`${FOLDER}/reference.json`))) as Reference;
const tensor = async (name: string): Promise<Float32Array> =>
  (await parseTensors(await readAnywhere(`${FOLDER}/reference.safetensors`))).get(name)!.data as Float32Array;
const load = async (): Promise<Transcriber> => (await (await testEngine()).load(FOLDER)) as Transcriber;

/** The audio of the fixtures: a rising tone in noise whose loudness goes up and down. */
function noise(seconds: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: Math.round(seconds * 16000) }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const loud = 0.02 + (0.3 * (i % 5000)) / 5000;
    return loud * (state / 2 ** 31 - 1) + 0.2 * Math.sin((2 * Math.PI * (200 + i * 0.05) * i) / 16000);
  });
}

/** The largest difference from frames that are stored as [mels, frames], every `every`th. */
function melError(data: Float32Array, mels: number, stored: Float32Array, every: number): number {
  const frames = stored.length / mels;
  const differences = Array.from(stored, (value, i) =>
    Math.abs(value - data[(i % frames) * every * mels + Math.floor(i / frames)]!),
  );
  return Math.max(...differences);
}

async function all(model: Transcriber, ...given: Parameters<Transcriber['transcribe']>) {
  const segments: Segment[] = [];
  const going = model.transcribe(...given);
  for (;;) {
    const { value, done } = await going.next();
    if (done) return { segments, whole: value };
    segments.push(value);
  }
}

describe('Whisper against transformers', () => {
  it('the log-mel spectrogram of silence, noise, and noise of several windows', async () => {
    using model = await load();
    for (const [name, audio, every] of [
      ['silence', new Float32Array(16000), 20],
      ['noise', noise(0.83), 5],
      ['long', noise(2.6), 13],
    ] as const) {
      const { data } = await model.spectrogram(audio);
      const error = melError(data, 12, await tensor(`mel.${name}`), every);
      console.log(`${name}: log-mel ${error.toExponential(1)} off`);
      expect(error).toBeLessThan(1e-4);
    }
  });

  it.skipIf(!hasShared)('the log-mel spectrogram of speech, 80 bands in a window of 30 s', async () => {
    const { gpu } = await testEngine();
    await loadOps(['image', 'math', 'movement']);
    const audio = (await parseTensors(await readShared('onnx-files/references/speech_3s.safetensors'))).get('audio')!;
    const shape = readMelShape('speech');
    using session = await buildSession(gpu, melGraph(shape, 3000));
    const { data, frames } = await spectrogram(shape, audio.data as Float32Array, async (rows) => {
      const { mel } = await session.run({ audio: rows });
      return mel as Float32Array;
    });
    expect(frames).toBe(3000);
    const error = melError(data, 80, await tensor('mel.speech'), 16);
    console.log(`speech: log-mel ${error.toExponential(1)} off`);
    expect(error).toBeLessThan(1e-4);
  });

  it('the states of the encoder', async () => {
    using model = await load();
    const { data } = await model.spectrogram(noise(0.83));
    using session = await model.buildOn((await testEngine()).gpu, model.encoderGraph(50, 'hidden'));
    const { hidden } = await session.run({ features: data });
    const error = normwise(hidden as Float32Array, await tensor('hidden'));
    console.log(`encoder: ${error.toExponential(1)} off`);
    expect(error).toBeLessThan(5e-5);
  });

  it.each([
    ['window', 1, { language: 'de' }],
    ['translated', 1, { task: 'translate' }],
    ['long', 2.6, { language: 'en' }],
    ['conditioned', 2.6, { language: 'en', conditionOnPrevious: true }],
  ] as const)('%s: tokens and times', async (name, seconds, options) => {
    using model = await load();
    const { segments: wanted } = (await reference())[name];
    const how = { temperature: 0, noSpeechThreshold: 1, ...options };
    const { segments, whole } = await all(model, noise(seconds), how);
    expect(segments.map(({ tokens }) => tokens)).toEqual(wanted.map(({ tokens }) => tokens));
    for (const [i, { start, end }] of wanted.entries()) {
      expect(segments[i]!.start).toBeCloseTo(start, 6);
      expect(segments[i]!.end).toBeCloseTo(end, 6);
    }
    expect(whole.segments).toEqual(segments);
  });

  it('the language, and how likely there is no speech', async () => {
    using model = await load();
    const { language, noSpeech } = await reference();
    const { segments, whole } = await all(model, noise(0.83), { temperature: 0, noSpeechThreshold: 1 });
    expect(whole.language).toBe({ 42: 'en', 43: 'de', 44: 'fr' }[language]);
    expect(segments[0]!.noSpeech).toBeCloseTo(noSpeech, 5);
  });
});

describe('transcribing', () => {
  const HOW = { temperature: 0, noSpeechThreshold: 1, language: 'en' };

  it('a WAV file is heard as its samples are, at another rate too', async () => {
    using model = await load();
    const audio = noise(1);
    const { whole } = await all(model, audio, HOW);
    expect(whole.segments[0]!.text).toMatch(/^[a-z A-M]+$/i);
    expect(whole.text).toBe(
      whole.segments
        .map(({ text }) => text)
        .join('')
        .trim(),
    );
    const file = new Blob([wavFile([[...audio]], { kind: 3, bits: 32 })]);
    expect((await all(model, file, HOW)).whole).toEqual(whole);
    const { duration, segments } = (await all(model, audio, { ...HOW, sampleRate: 48000 })).whole;
    expect(duration).toBeCloseTo(1 / 3, 4);
    expect(segments.length).toBeGreaterThan(0);
  });

  it('without times a window is a segment', async () => {
    using model = await load();
    const { segments } = await all(model, noise(2.6), { ...HOW, timestamps: false });
    expect(segments.map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2.6],
    ]);
  });

  it('what is uncertain is drawn again at the next temperature, with the same seed the same', async () => {
    using model = await load();
    const how = {
      language: 'en',
      temperature: [0, 0.7, 1],
      logProbabilityThreshold: -0.1,
      noSpeechThreshold: 1,
      seed: 3,
    };
    const first = await all(model, noise(1), how);
    expect(first.segments.every(({ temperature }) => temperature === 1)).toBe(true);
    expect((await all(model, noise(1), how)).whole).toEqual(first.whole);
    // Then silence is likelier than what is allowed, and the text is uncertain: there is none.
    const silent = await all(model, noise(1), { ...how, noSpeechThreshold: 0 });
    expect(silent.whole).toMatchObject({ text: '', segments: [] });
  });

  it('several at once are as each alone', async () => {
    using model = await load();
    const audios = [noise(2.6), noise(1).reverse()];
    const alone = [await all(model, audios[0]!, HOW), await all(model, audios[1]!, HOW)];
    expect(await Promise.all(audios.map((audio) => all(model, audio, HOW)))).toEqual(alone);
  });

  it.each<[string, Float32Array | Blob, object, string]>([
    ['no samples', new Float32Array(), {}, 'invalid-argument'],
    ['a sample that is no number', Float32Array.of(0, Number.NaN), {}, 'invalid-argument'],
    ['a rate of nothing', new Float32Array(10), { sampleRate: 0 }, 'invalid-argument'],
    ['a list', [0, 1] as unknown as Float32Array, {}, 'invalid-argument'],
    ['a language that it does not know', new Float32Array(10), { language: 'xx' }, 'invalid-argument'],
    ['an option that there is not', new Float32Array(10), { speaker: 1 }, 'invalid-argument'],
    ['no temperature', new Float32Array(10), { temperature: [] }, 'invalid-argument'],
    ['a file that is cut off', new Blob([wavFile([[0, 0.5, 1]]).slice(0, -1)]), {}, 'invalid-file'],
    ['a file without samples', new Blob([wavFile([[]])]), {}, 'invalid-argument'],
    ['a file of another rate than is said', new Blob([wavFile([[0, 1]])]), { sampleRate: 8000 }, 'invalid-argument'],
  ])('%s is an error', async (_, audio, options, code) => {
    using model = await load();
    const { bytes } = model.gpu.counters;
    expect(await codeOf(all(model, audio, options))).toBe(code);
    expect(model.gpu.counters.bytes).toBe(bytes);
  });

  it('its kernels are checked, its plans summed up; a report is refused by name', async () => {
    using model = await load();
    const { passed } = await (await testEngine()).verify(model);
    expect(passed).toBe(true);
    for (const plan of Object.keys(model.graphs()))
      expect((await model.summary({ plan })).rows.length).toBeGreaterThan(1);
    expect(await codeOf(model.report())).toBe('unsupported-option');
  });

  it('a signal ends it', async () => {
    using model = await load();
    const stop = new AbortController();
    const going = model.transcribe(noise(2.6), { ...HOW, signal: stop.signal });
    await going.next();
    stop.abort();
    expect(await codeOf(all(model, noise(1), HOW))).toBe('fine');
    expect(
      await codeOf(
        (async () => {
          for await (const _ of going);
        })(),
      ),
    ).toBe('aborted');
  });

  it.each<[string, string, object, string]>([
    ['config.json', 'scale', { activation_function: 'swiglu' }, 'unsupported-option'],
    ['config.json', 'heads', { encoder_attention_heads: 3 }, 'wrong-shape'],
    ['config.json', 'bands', { num_mel_bins: 13 }, 'wrong-shape'],
    ['config.json', 'layers', { decoder_layers: 1 }, 'unused-tensor'],
    ['generation_config.json', 'beams', { num_beams: 5 }, 'unsupported-option'],
    ['generation_config.json', 'no times', { no_timestamps_token_id: null }, 'unsupported-option'],
    ['preprocessor_config.json', 'dither', { dither: 0.1 }, 'unsupported-option'],
    ['preprocessor_config.json', 'another window', { chunk_length: 2 }, 'wrong-shape'],
  ])('%s: %s is refused', async (file, _, fields, code) => {
    const names = ['model.safetensors', 'config.json', 'generation_config.json', 'preprocessor_config.json'];
    const own = await Promise.all(names.map(async (name) => [name, await readAnywhere(`${FOLDER}/${name}`)] as const));
    const files = Object.fromEntries(own);
    const said = JSON.parse(new TextDecoder().decode(files[file]!)) as object;
    files[file] = new TextEncoder().encode(JSON.stringify({ ...said, ...fields }));
    const engine = await testEngine();
    const { bytes } = engine.counters;
    expect(await codeOf(engine.load(files))).toBe(code);
    expect(engine.counters.bytes).toBe(bytes);
  });
});
