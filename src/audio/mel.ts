import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/ir.ts';
import { checkFields, integer, oneOf, type Rule } from '../options.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How audio becomes a log-mel spectrogram. Lengths are in samples. */
export interface MelShape {
  /** Samples a second. */
  readonly rate: number;
  /** Of a frame, and from one frame to the next. */
  readonly fft: number;
  readonly hop: number;
  readonly mels: number;
  /** Of a window: shorter audio is padded with silence. */
  readonly window: number;
}

const SIZE: Rule = integer(1);

/** What preprocessor_config.json may say that changes the result. */
const RULES: Readonly<Record<string, Rule>> = {
  feature_extractor_type: oneOf('WhisperFeatureExtractor'),
  feature_size: SIZE,
  sampling_rate: SIZE,
  hop_length: SIZE,
  n_fft: SIZE,
  chunk_length: SIZE,
  padding_value: oneOf(0),
  padding_side: oneOf('right'),
  dither: oneOf(0),
  do_normalize: oneOf(false),
};

/** Reads preprocessor_config.json: what it does not say is as WhisperFeatureExtractor has it. Error: `unsupported-option`. */
export function readMelShape(where: string, fields: Fields = {}): MelShape {
  checkFields(`${where}: preprocessor_config.json`, fields, RULES);
  const get = (name: string, otherwise: number): number => (fields[name] ?? otherwise) as number;
  const rate = get('sampling_rate', 16000);
  return {
    rate,
    fft: get('n_fft', 400),
    hop: get('hop_length', 160),
    mels: get('feature_size', 80),
    window: get('chunk_length', 30) * rate,
  };
}

/** Rows of `hop` samples that a frame reaches into. */
const reach = ({ fft, hop }: MelShape): number => Math.ceil(fft / hop);

/** Samples that a graph of so many frames reads. */
export const samplesOf = (shape: MelShape, frames: number): number => (frames + reach(shape) - 1) * shape.hop;

/** Frequencies of a frame, and columns of zeros up to a multiple of 4. */
const columns = ({ fft }: MelShape): number => 4 * Math.ceil((fft / 2 + 1) / 4);

/**
 * log10 of the mel spectrogram of `frames` frames: `audio`, rows of `hop` samples, to `mel`, [frames, mels], no less than log10(1e-10). The
 * Fourier transform of a frame is a product with sines and cosines, and so a convolution of rows.
 */
export function melGraph(shape: MelShape, frames: number): Graph {
  const b = new GraphBuilder();
  const { hop, mels } = shape;
  const [rows, width] = [reach(shape), columns(shape)];
  const audio = b.input('audio', { dataType: 'float32', shape: [1, 1, frames + rows - 1, hop] });
  const waves = b.constant({ dataType: 'float32', shape: [1, rows, hop, 2 * width] }, fourier(shape));
  const turned = b.conv2d(audio, waves, { inputLayout: 'nhwc', filterLayout: 'hwio', label: 'fourier' });
  const both = b.reshape(turned, [frames, 2 * width]);
  const squares = [0, width].map((from) => {
    const part = b.slice(both, [0, from], [frames, width]);
    return b.mul(part, part);
  });
  const bands = b.constant({ dataType: 'float32', shape: [width, mels] }, melFilters(shape));
  const power = b.matmul(b.add(squares[0]!, squares[1]!), bands, { label: 'mel' });
  const log = b.log(b.clamp(power, { minValue: 1e-10 }));
  return b.outputs({ mel: b.linear(log, { alpha: 1 / Math.LN10 }) });
}

/** Cosines and sines of each frequency, under Hann's window: [samples of all rows, 2 · columns]. */
function fourier(shape: MelShape): Float32Array {
  const { fft, hop } = shape;
  const width = columns(shape);
  const table = new Float32Array(reach(shape) * hop * 2 * width);
  for (let n = 0; n < fft; n++) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / fft);
    for (let k = 0; k <= fft / 2; k++) {
      const angle = (2 * Math.PI * ((k * n) % fft)) / fft;
      table[n * 2 * width + k] = hann * Math.cos(angle);
      table[n * 2 * width + width + k] = hann * Math.sin(angle);
    }
  }
  return table;
}

/** Slaney's mel scale: linear below 1000 Hz, logarithmic above. */
const STEP = Math.log(6.4) / 27;
const melOf = (hertz: number): number => (hertz < 1000 ? (3 * hertz) / 200 : 15 + Math.log(hertz / 1000) / STEP);
const hertzOf = (mel: number): number => (mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(STEP * (mel - 15)));

/** Triangles from 0 to 8000 Hz, each of area 1: [columns, mels]. */
function melFilters(shape: MelShape): Float32Array {
  const { fft, mels, rate } = shape;
  const table = new Float32Array(columns(shape) * mels);
  const top = melOf(8000);
  const corners = Array.from({ length: mels + 2 }, (_, i) => hertzOf((top * i) / (mels + 1)));
  for (let k = 0; k <= fft / 2; k++) {
    const hertz = (k * rate) / fft;
    for (let m = 0; m < mels; m++) {
      const [low, middle, high] = corners.slice(m, m + 3) as [number, number, number];
      const height = Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      table[k * mels + m] = (Math.max(0, height) * 2) / (high - low);
    }
  }
  return table;
}

/** A log-mel spectrogram. */
export interface Spectrogram {
  readonly frames: number;
  /** [frames, mels]. */
  readonly data: Float32Array;
}

/**
 * The log-mel spectrogram of audio, as WhisperFeatureExtractor of transformers has it: the ends are mirrored, and what is 8 below the
 * maximum is as loud as that. `logs` gives log10 of the mel spectrogram of `window / hop` frames from rows of samples.
 */
export async function spectrogram(
  shape: MelShape,
  audio: Float32Array,
  logs: (rows: Float32Array) => Promise<Float32Array>,
): Promise<Spectrogram> {
  const { fft, hop, mels, window } = shape;
  const length = Math.max(audio.length, window);
  const frames = Math.floor(length / hop);
  const together = Math.floor(window / hop);
  const data = new Float32Array(frames * mels);
  /** Sample i, mirrored at the ends. */
  const at = (i: number): number => audio[i < 0 ? -i : i < length ? i : 2 * (length - 1) - i] ?? 0;
  const rows = new Float32Array(samplesOf(shape, together));
  for (let first = 0; first < frames; first += together) {
    const start = first * hop - fft / 2;
    for (let i = 0; i < rows.length; i++) rows[i] = at(start + i);
    const count = Math.min(together, frames - first);
    data.set((await logs(rows)).subarray(0, count * mels), first * mels);
  }
  let most = Number.NEGATIVE_INFINITY;
  for (const value of data) most = Math.max(most, value);
  for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i]!, most - 8) + 4) / 4;
  return { frames, data };
}
