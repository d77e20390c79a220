import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { bytesSource } from '../../src/hub/source.ts';

interface Vector {
  file: string;
  bytes: number;
  verdict: 'ok' | 'error';
  /** What the Rust reader said: `Ok:` and the number of tensors, or its error. */
  safetensors_0_8_0: string;
}

const folder = new URL('../../../shared/conformance/safetensors/', import.meta.url);
const missing = !existsSync(folder) && !process.env.CI;
if (missing) console.warn(`skipped: the safetensors vectors are not at ${folder.pathname}`);

describe.skipIf(missing)('safetensors vectors get the verdict of the Rust reader', () => {
  const vectors: Vector[] = missing ? [] : JSON.parse(readFileSync(new URL('vectors.json', folder), 'utf8'));

  it('are all there', () => expect(vectors).toHaveLength(22));

  it.each(vectors)('$file: $verdict', async ({ file, bytes, verdict, safetensors_0_8_0 }) => {
    const data = new Uint8Array(readFileSync(new URL(file, folder)));
    expect(data.length).toBe(bytes);
    const opened = openSafetensors(bytesSource(file, data));
    if (verdict === 'ok') {
      expect(`Ok:${(await opened).tensors.size}`).toBe(safetensors_0_8_0);
    } else {
      const error = await opened.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TilewrightError);
      expect(error).toMatchObject({ code: 'invalid-file', message: expect.stringContaining(file) });
    }
  });
});
