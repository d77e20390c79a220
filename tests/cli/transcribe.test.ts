import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { transcribe } from '../../src/cli/commands/transcribe.ts';
import { translate } from '../../src/cli/commands/translate.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Transcription } from '../../src/models/seq2seq/whisper/options.ts';
import { findVulkanDriver } from '../../tools/vulkan.mjs';
import { wavFile } from '../support/wav-file.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/seq2seq/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A command's world, and what it printed. */
function listening() {
  const told = { lines: [] as string[], result: undefined as unknown };
  const terminal = {
    json: false,
    bars: { ready: async () => {}, clear: () => {}, update: () => {} },
    print: (line = '') => void told.lines.push(line),
    write: (text: string) => void told.lines.push(text),
    note: () => {},
    paint: (_: string, text: string) => text,
    paintNote: (_: string, text: string) => text,
    result: (value: unknown) => {
      told.result = value;
    },
  } as unknown as Terminal;
  return { told, context: { terminal, signal: new AbortController().signal, runtime: 'dawn' as const } };
}

// Without a driver for Dawn nothing is computed here.
describe.runIf(findVulkanDriver())('tilewright', { timeout: 120_000 }, () => {
  it('transcribe writes a line a segment, with its times', async () => {
    const file = join(folder, 'tone.wav');
    writeFileSync(file, wavFile([Array.from({ length: 16000 }, (_, i) => 0.3 * Math.sin(i * i * 1e-5))]));
    const { told, context } = listening();
    await transcribe(fixture('whisper'), file, { language: 'en', timestamps: true }, context);
    const { segments, duration, language } = told.result as Transcription;
    expect([duration, language]).toEqual([1, 'en']);
    expect(told.lines).toHaveLength(segments.length);
    for (const line of told.lines) expect(line).toMatch(/^00:0\d\.\d\d - 00:0\d\.\d\d {2}\S/);
  });

  it('says that a model writes for texts, or has no tokenizer', async () => {
    const { context } = listening();
    const file = join(folder, 'tone.wav');
    await expect(transcribe(fixture('bart'), file, { timestamps: true }, context)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('writes a text for another'),
    });
    await expect(translate(fixture('bart'), { text: ['a'] }, context)).rejects.toMatchObject({ code: 'not-found' });
  });
});
