import { expect } from 'vitest';
import { type ErrorCode, TilewrightError } from '../../src/errors.ts';
import { bytesSource } from '../../src/hub/source.ts';

/** A safetensors file of any header and body, right or wrong. */
export function fileOf(header: string | object | Uint8Array, body = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const json =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + body.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(body, 8 + json.length);
  return file;
}

export const sourceOf = (...args: Parameters<typeof fileOf>) => bytesSource('test.safetensors', fileOf(...args));

/** The JSON of one tensor of a header, four bytes of F32 where nothing else is said. */
export const tensorJson = ({ dtype = 'F32', shape = '[1]', offsets = '[0,4]', extra = '' } = {}): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}${extra}}`;

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice()); // it is good until the next is asked for
  return new Uint8Array(Buffer.concat(parts));
}

/** The work must fail with this code, and with a message that matches. */
export async function expectError(work: () => unknown, code: ErrorCode, message = /./): Promise<void> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(TilewrightError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}
