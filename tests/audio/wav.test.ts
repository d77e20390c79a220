import { describe, expect, it } from 'vitest';
import { readWav } from '../../src/audio/wav.ts';
import { wavFile } from '../support/wav-file.ts';

const SAMPLES = Array.from({ length: 37 }, (_, i) => Math.sin(i / 3) * 0.9);

describe('WAV files', () => {
  it.each([
    [1, 8, 1 / 128],
    [1, 16, 2 ** -15],
    [1, 24, 2 ** -23],
    [1, 32, 2 ** -24],
    [3, 32, 2 ** -24],
  ])('coding %i of %i bits', (kind, bits, step) => {
    const { sampleRate, samples } = readWav(wavFile([SAMPLES], { kind, bits, sampleRate: 22050 }));
    expect(sampleRate).toBe(22050);
    expect(samples).toHaveLength(37);
    for (const [i, sample] of samples.entries()) expect(Math.abs(sample - SAMPLES[i]!)).toBeLessThanOrEqual(step);
  });

  it('channels are mixed, and other chunks are passed over', () => {
    const other = SAMPLES.map((sample) => -sample / 2);
    const { samples } = readWav(wavFile([SAMPLES, other], { kind: 3, bits: 32, before: ['LIST', 5] }));
    for (const [i, sample] of samples.entries()) expect(sample).toBeCloseTo(SAMPLES[i]! / 4, 6);
  });

  it('the coding of an extensible file is that of its subformat', () => {
    const { samples } = readWav(wavFile([SAMPLES], { kind: 1, bits: 16, extensible: true }));
    expect(samples[3]).toBeCloseTo(SAMPLES[3]!, 4);
  });

  it.each<[string, Uint8Array, string, RegExp]>([
    ['nothing', new Uint8Array(), 'invalid-file', /RIFF/],
    ['another file', new TextEncoder().encode('ID3 a file of MPEG'), 'invalid-file', /RIFF/],
    ['a file that is cut off', wavFile([SAMPLES]).slice(0, -3), 'invalid-file', /cut off: 'data' has 74 bytes, 71/],
    ['a file without samples', wavFile([SAMPLES]).slice(0, 36), 'invalid-file', /no 'data'/],
    ['a file that is its first line', wavFile([SAMPLES]).slice(0, 12), 'invalid-file', /no 'fmt '/],
    ['samples of mu-law', wavFile([SAMPLES], { kind: 7, bits: 8 }), 'unsupported-type', /coding 7/],
    ['half a sample', wavFile([SAMPLES], { bits: 24, cut: 1 }), 'invalid-file', /within a sample/],
    ['no channels', wavFile([]), 'invalid-file', /0 channels/],
  ])('%s is an error', (_, bytes, code, message) => {
    expect(() => readWav(bytes)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
