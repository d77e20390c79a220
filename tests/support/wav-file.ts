interface WavOptions {
  kind?: number;
  bits?: number;
  sampleRate?: number;
  /** A chunk before the samples: its name and its bytes. */
  before?: readonly [string, number];
  extensible?: boolean;
  /** Bytes that are missing at the end, which no header tells. */
  cut?: number;
}

/** A WAV file of these channels. */
export function wavFile(
  channels: readonly (readonly number[])[],
  { kind = 1, bits = 16, sampleRate = 16000, before, extensible = false, cut = 0 }: WavOptions = {},
): Uint8Array<ArrayBuffer> {
  const step = bits / 8;
  const frames = channels[0]?.length ?? 0;
  const samples = new DataView(new ArrayBuffer(frames * channels.length * step));
  for (let i = 0; i < frames; i++) {
    for (const [c, channel] of channels.entries()) {
      const at = (i * channels.length + c) * step;
      const value = channel[i]!;
      if (kind === 3) samples.setFloat32(at, value, true);
      else if (bits === 8) samples.setUint8(at, Math.round(value * 128) + 128);
      else {
        const whole = Math.round(value * 2 ** (bits - 1));
        for (let byte = 0; byte < step; byte++) samples.setUint8(at + byte, (whole >> (8 * byte)) & 255);
      }
    }
  }
  const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
  const little = (value: number, bytes: number): number[] =>
    Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);
  const chunk = (name: string, data: readonly number[]): number[] => [
    ...ascii(name),
    ...little(data.length, 4),
    ...data,
    ...(data.length % 2 ? [0] : []),
  ];
  const format = [
    ...little(extensible ? 0xfffe : kind, 2),
    ...little(channels.length, 2),
    ...little(sampleRate, 4),
    ...little(sampleRate * channels.length * step, 4),
    ...little(channels.length * step, 2),
    ...little(bits, 2),
    ...(extensible
      ? [...little(22, 2), ...little(bits, 2), ...little(0, 4), ...little(kind, 2), ...little(0, 14)]
      : []),
  ];
  const bytes = [...new Uint8Array(samples.buffer)];
  const body = [
    ...ascii('WAVE'),
    ...chunk('fmt ', format),
    ...(before ? chunk(before[0], new Array(before[1]).fill(1)) : []),
    ...chunk('data', bytes.slice(0, bytes.length - cut)),
  ];
  return Uint8Array.from([...ascii('RIFF'), ...little(body.length, 4), ...body]);
}
