import { describe, expect, it } from 'vitest';
import { resample } from '../../src/audio/resample.ts';

const tone = (hertz: number, rate: number, seconds: number): Float32Array =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

/** Decibels, away from the ends. */
function level(audio: Float32Array): number {
  const middle = audio.subarray(audio.length >> 2, (3 * audio.length) >> 2);
  return 10 * Math.log10(middle.reduce((sum, sample) => sum + sample ** 2, 0) / middle.length);
}

describe('resampling', () => {
  it.each([
    [44100, 16000],
    [48000, 16000],
    [8000, 16000],
    [22050, 16000],
    [16001, 16000],
  ])('from %i to %i: tones that pass are as they were', (from, to) => {
    for (const share of [0.02, 0.3, 0.8]) {
      const hertz = (share * Math.min(from, to)) / 2;
      const wanted = tone(hertz, to, 0.2);
      const got = resample(tone(hertz, from, 0.2), from, to);
      expect(got).toHaveLength(wanted.length);
      const error = level(got.map((sample, i) => sample - wanted[i]!)) - level(wanted);
      console.log(`${from} to ${to}, ${hertz} Hz: ${error.toFixed(0)} dB of error`);
      expect(error).toBeLessThan(-90);
    }
  });

  it('tones above the band of the lower rate do not fold back', () => {
    for (const hertz of [8300, 12000, 20000]) {
      const left = level(resample(tone(hertz, 44100, 0.2), 44100, 16000)) - level(tone(hertz, 44100, 0.2));
      console.log(`${hertz} Hz: ${left.toFixed(0)} dB are left`);
      expect(left).toBeLessThan(-90);
    }
  });

  it('a constant stays, and the same rate changes nothing', () => {
    const constant = new Float32Array(2000).fill(0.5);
    const got = resample(constant, 44100, 16000);
    expect(got[got.length >> 1]).toBeCloseTo(0.5, 6);
    expect(resample(constant, 16000, 16000)).toBe(constant);
  });
});
