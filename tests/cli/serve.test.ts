import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Client from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../src/cli/commands/serve.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { findVulkanDriver } from '../../tools/vulkan.mjs';
import { parseTensors } from '../support/files.ts';

const SHIPPED = fileURLToPath(new URL('../../weights/gpt-shakespeare', import.meta.url));
const TEMPLATE = '{% for m in messages %}{{ m.role }}:\n{{ m.content }}\n\n{% endfor %}JULIET:';

const driver = findVulkanDriver();

/** Serves a folder on Dawn until the signal fires. */
async function served(folder: string, signal: AbortSignal): Promise<{ client: Client; running: Promise<void> }> {
  let running!: Promise<void>;
  const url = await new Promise<string>((resolve, reject) => {
    const silent = () => undefined;
    const terminal = {
      bars: { ready: async () => {}, clear: silent, update: silent },
      note: silent,
      print: silent,
      paint: (_: string, text: string) => text,
      paintNote: (_: string, text: string) => text,
      result: (value: { url: string }) => resolve(value.url),
    } as unknown as Terminal;
    running = serve(folder, { host: '127.0.0.1', port: 0 }, { terminal, signal, runtime: 'dawn' });
    running.catch(reject);
  });
  return { client: new Client({ baseURL: url, apiKey: 'none', maxRetries: 0 }), running };
}

// Without a driver for Dawn nothing answers here; the server itself is tested in api-server.test.ts.
describe.runIf(driver)('tilewright serve', { timeout: 120_000 }, () => {
  const abort = new AbortController();
  let folder: string;
  let running: Promise<void>;
  let client: Client;

  beforeAll(async () => {
    folder = join(mkdtempSync(join(tmpdir(), 'tilewright-')), 'shakespeare');
    cpSync(SHIPPED, folder, { recursive: true });
    writeFileSync(join(folder, 'chat_template.jinja'), TEMPLATE);
    ({ client, running } = await served(folder, abort.signal));
  }, 120_000);

  afterAll(async () => {
    abort.abort();
    await running;
    rmSync(join(folder, '..'), { recursive: true });
  });

  const asked = {
    model: 'shakespeare',
    messages: [{ role: 'user' as const, content: 'My love!' }],
    temperature: 0,
    max_tokens: 12,
  };

  it('streams a chat, which is the text of its prompt', async () => {
    const stream = await client.chat.completions.create({ ...asked, stream: true });
    let said = '';
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
    const { temperature, max_tokens, model } = asked;
    const prompt = 'user:\nMy love!\n\nJULIET:';
    const text = await client.completions.create({ model, prompt, temperature, max_tokens });
    expect(said).toBe(text.choices[0]!.text);
    expect(text.usage).toMatchObject({ completion_tokens: 12 });
    expect(text.choices[0]!.finish_reason).toBe('length');
  });

  it('gives the JSON that a schema asks for', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string', maxLength: 10 } }, required: ['name'] };
    const { choices } = await client.chat.completions.create({
      ...asked,
      max_tokens: 200,
      response_format: { type: 'json_schema', json_schema: { name: 'person', schema, strict: true } },
    });
    expect(JSON.parse(choices[0]!.message.content!)).toEqual({ name: expect.stringMatching(/^.{0,10}$/su) });
    expect(choices[0]!.finish_reason).toBe('stop');
  });

  it('ends what is aborted, answers ten at once in their order, and refuses by name', async () => {
    const stream = await client.chat.completions.create({ ...asked, max_tokens: 400, stream: true });
    for await (const _ of stream) stream.controller.abort();
    const ended: number[] = [];
    const texts = Array.from({ length: 10 }, async (_, i) => {
      const { choices } = await client.chat.completions.create({ ...asked, max_tokens: 3 });
      ended.push(i);
      return choices[0]!.message.content;
    });
    expect(new Set(await Promise.all(texts)).size).toBe(1);
    expect(ended).toEqual([...ended].sort((a, b) => a - b));
    await expect(
      client.chat.completions.create({ ...asked, tools: [{ type: 'function', function: { name: 'f' } }] }),
    ).rejects.toMatchObject({ status: 400, message: /takes no tools/ });
    const long = [{ role: 'user' as const, content: 'love '.repeat(2000) }];
    await expect(client.chat.completions.create({ ...asked, messages: long })).rejects.toMatchObject({
      status: 400,
      code: 'context-exceeded',
    });
  });
});

it.runIf(driver)(
  'vectors of texts are those of sentence-transformers, through the client of OpenAI',
  async () => {
    const folder = fileURLToPath(new URL('../fixtures/encoders/bert-sentences', import.meta.url));
    const { texts } = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as { texts: string[] };
    const stored = await parseTensors(readFileSync(join(folder, 'reference.safetensors')));
    const { data: expected } = stored.get('vectors')!;
    const abort = new AbortController();
    const { client, running } = await served(folder, abort.signal);
    try {
      const { data, usage } = await client.embeddings.create({ model: 'bert-sentences', input: texts });
      const vectors = data.flatMap(({ embedding }) => embedding);
      expect(vectors).toHaveLength(expected.length);
      for (const [i, x] of vectors.entries()) expect(x).toBeCloseTo(expected[i]!, 5);
      expect(usage.prompt_tokens).toBeGreaterThan(texts.length);
      await expect(
        client.embeddings.create({ model: 'bert-sentences', input: 'a '.repeat(500) }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'context-exceeded',
      });
    } finally {
      abort.abort();
      await running;
    }
  },
  120_000,
);
