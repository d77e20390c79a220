import { TilewrightError } from '../errors.ts';

/** Audio of one channel. */
export interface Sound {
  /** Samples a second. */
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

const invalid = (message: string): TilewrightError => new TilewrightError('invalid-file', `the WAV file ${message}`);

/** How the samples of a file are coded. */
interface Coding {
  readonly kind: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];

/** What reads a sample at a byte, -1 to 1. */
function reader(view: DataView, { kind, bits }: Coding): (at: number) => number {
  if (kind === FLOAT && bits === 32) return (at) => view.getFloat32(at, true);
  if (kind === PCM && bits === 8) return (at) => (view.getUint8(at) - 128) / 128;
  if (kind === PCM && bits === 16) return (at) => view.getInt16(at, true) / 2 ** 15;
  if (kind === PCM && bits === 24) return (at) => (view.getInt8(at + 2) * 65536 + view.getUint16(at, true)) / 2 ** 23;
  if (kind === PCM && bits === 32) return (at) => view.getInt32(at, true) / 2 ** 31;
  throw new TilewrightError(
    'unsupported-type',
    `the WAV file has samples of ${bits} bits in coding ${kind}: PCM of 8, 16, 24 and 32 bits and float of 32 are read`,
  );
}

/** Reads a WAV file; its channels are mixed. Errors: `invalid-file`, `unsupported-type`. */
export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== 'RIFF' || name(8) !== 'WAVE') throw invalid('does not begin with RIFF and WAVE');
  let coding: Coding | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [chunk, size] = [name(at), view.getUint32(at + 4, true)];
    const start = at + 8;
    if (chunk === 'data' && !coding) throw invalid("has 'data' before 'fmt '");
    if (chunk === 'data' || chunk === 'fmt ') {
      if (start + size > bytes.length)
        throw invalid(`is cut off: '${chunk}' has ${size} bytes, ${bytes.length - start} are there`);
      if (coding && chunk === 'data') return mixed(view, start, size, coding);
      coding = codingOf(view, start, size);
    }
    at = start + size + (size % 2);
  }
  throw invalid(`has no '${coding ? 'data' : 'fmt '}'`);
}

function codingOf(view: DataView, at: number, size: number): Coding {
  if (size < 16) throw invalid(`has ${size} bytes of 'fmt ', expected 16 or more`);
  const given = view.getUint16(at, true);
  const coding = {
    kind: given === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : given,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
  if (!coding.channels || !coding.sampleRate)
    throw invalid(`has ${coding.channels} channels of ${coding.sampleRate} samples a second`);
  return coding;
}

/** The mean of all channels. */
function mixed(view: DataView, start: number, size: number, coding: Coding): Sound {
  const { channels, bits, sampleRate } = coding;
  const read = reader(view, coding);
  const step = bits / 8;
  if (size % (step * channels))
    throw invalid(`ends within a sample: ${size} bytes of ${channels} channels of ${bits} bits`);
  const samples = Float32Array.from({ length: size / (step * channels) }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(start + (i * channels + c) * step);
    return sum / channels;
  });
  return { sampleRate, samples };
}
