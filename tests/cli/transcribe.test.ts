import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { transcribe } from '../../src/cli/commands/transcribe.ts';
import { translate } from '../../src/cli/commands/translate.ts';
import type { Transcription } from '../../src/models/seq2seq/whisper/options.ts';
import { findVulkanDriver } from '../../tools/vulkan.mjs';
import { listening } from '../support/listening.ts';
import { wavFile } from '../support/wav-file.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/seq2seq/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));

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
    for (const [i, line] of told.lines.entries()) {
      expect(line).toMatch(/^00:0\d\.\d\d - 00:0\d\.\d\d {2}/);
      expect(line.slice('00:00.00 - 00:00.00  '.length)).toBe(segments[i]!.text.trim());
    }
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
