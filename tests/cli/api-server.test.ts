import { request } from 'node:http';
import Client from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answerer, serveApi } from '../../src/cli/api-server.ts';
import { OpenAI, type Transcribing } from '../../src/openai/index.ts';
import { saying } from '../openai/answering.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hello?' }];
const PIECES = ['Good', ' day', '.'];
/** Says how many bytes it was given. */
const hearing: Transcribing = {
  async *transcribe(audio, { task, language = 'fr' } = {}) {
    const text = ` ${task} ${audio.size}`;
    const one = { start: 0, end: 1.5, text, tokens: [1], temperature: 0, logProbability: -0.5, noSpeech: 0.1 };
    yield one;
    return { text, language, duration: 2, segments: [one] };
  },
};
const VECTOR = Float32Array.of(0.5, -1.25, 1e-9);

let server: Awaited<ReturnType<typeof serveApi>> | undefined;
afterEach(() => server?.close());

/** Serves a model that says `pieces`. */
async function serving(pieces = PIECES, more: Partial<Answerer> = {}) {
  const log: string[] = [];
  const embed = async (texts: readonly string[]) => ({ vectors: texts.map(() => VECTOR), tokens: 3 });
  const model = new OpenAI({ m: saying(pieces), v: { embed }, w: hearing });
  const answer: Answerer['answer'] = async (to, body, { signal, onPart }) => {
    if (to === 'embeddings') return model.embeddings.create(body, { signal });
    if (to === 'transcriptions' || to === 'translations') {
      const { file, ...fields } = body;
      return model.audio[to].create({ ...fields, file: new Blob([file as Uint8Array<ArrayBuffer>]) }, { signal });
    }
    const { create } = to === 'chat' ? model.chat.completions : model.completions;
    if (!body['stream']) return create(body, { signal });
    for await (const part of await create({ ...body, stream: true }, { signal })) onPart(part);
    return undefined;
  };
  const where = { host: '127.0.0.1', port: 0, onRequest: (line: string) => void log.push(line) };
  server = await serveApi({ name: 'm', answer, ...more }, where);
  return { client: new Client({ baseURL: server.url, apiKey: 'none', maxRetries: 0 }), url: server.url, log };
}

/** The status and the body of a request made by hand. */
function raw(url: string, { headers = {}, method = 'POST', body = '' } = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve([response.statusCode!, text]));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the client of OpenAI', () => {
  it('is answered, whole and streamed, and lists the models', async () => {
    const { client, log } = await serving();
    const whole = await client.chat.completions.create({ model: 'm', messages: MESSAGES });
    expect(whole.choices[0]!.message.content).toBe('Good day.');
    const stream = await client.chat.completions.create({
      model: 'm',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens: number | undefined;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? '';
      tokens = usage?.total_tokens;
    }
    expect([text, tokens]).toEqual(['Good day.', 10]);
    const { choices } = await client.completions.create({ model: 'm', prompt: 'On' });
    expect(choices[0]!.text).toBe('Good day.');
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['m']);
    expect((await client.models.retrieve('m')).id).toBe('m');
    expect(log).toContain('POST /v1/chat/completions 200');
  });

  it('asks ten times at once, and is answered in order', async () => {
    const { client } = await serving();
    const ended: number[] = [];
    const asked = Array.from({ length: 10 }, (_, i) =>
      client.chat.completions.create({ model: 'm', messages: MESSAGES, seed: i }).then(({ choices }) => {
        ended.push(i);
        return choices[0]!.message.content;
      }),
    );
    expect(await Promise.all(asked)).toEqual(Array(10).fill('Good day.'));
    expect(ended).toEqual([...ended].sort((a, b) => a - b));
  });

  it('aborts: its answer ends, and the next is answered', async () => {
    const ends: unknown[] = [];
    const { client } = await serving(Array(5000).fill('x'));
    const stream = await client.chat.completions.create({ model: 'm', messages: MESSAGES, stream: true });
    for await (const _ of stream) {
      stream.controller.abort();
      ends.push('left');
    }
    const next = await client.chat.completions.create({ model: 'm', messages: MESSAGES, max_tokens: 2 });
    expect(next.choices[0]).toMatchObject({ message: { content: 'xx' }, finish_reason: 'length' });
    expect(ends.length).toBeGreaterThan(0);
  });

  it('is told what is wrong, by its status and its words', async () => {
    const { client } = await serving();
    const ask = (body: object) => client.chat.completions.create({ model: 'm', messages: MESSAGES, ...body } as never);
    await expect(ask({ model: 'gpt' })).rejects.toMatchObject({ status: 404, message: /there is no model "gpt"/ });
    await expect(ask({ n: 3 })).rejects.toMatchObject({
      status: 400,
      code: 'invalid-argument',
      message: /n: expected 1/,
    });
    await expect(ask({ stream: true, frob: 1 })).rejects.toMatchObject({ status: 400, message: /frob/ });
    await expect(client.embeddings.create({ model: 'm', input: 'a' })).rejects.toMatchObject({
      status: 400,
      message: /gives no vectors/,
    });
    await expect(client.moderations.create({ input: 'a' })).rejects.toMatchObject({ status: 404 });
  });

  it('gets vectors of texts', async () => {
    const { client } = await serving();
    const { data, usage } = await client.embeddings.create({ model: 'v', input: ['a', 'b'] });
    expect(data.map(({ embedding }) => Float32Array.from(embedding))).toEqual([VECTOR, VECTOR]);
    expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
  });

  it('has files heard, in the formats of the service', async () => {
    const { client, url } = await serving();
    const file = new File([new Uint8Array(300)], 'a.wav');
    const { transcriptions, translations } = client.audio;
    expect(await transcriptions.create({ model: 'w', file })).toEqual({ text: ' transcribe 300' });
    expect(await translations.create({ model: 'w', file, response_format: 'text' })).toBe('translate 300\n');
    const timed = await transcriptions.create({ model: 'w', file, language: 'de', response_format: 'verbose_json' });
    expect(timed).toEqual({
      ...{ task: 'transcribe', language: 'de', duration: 2, text: ' transcribe 300' },
      segments: [
        {
          ...{ id: 0, start: 0, end: 1.5, text: ' transcribe 300', tokens: [1], temperature: 0 },
          ...{ avg_logprob: -0.5, no_speech_prob: 0.1 },
        },
      ],
    });
    expect(await transcriptions.create({ model: 'w', file, response_format: 'srt' })).toBe(
      '1\n00:00:00,000 --> 00:00:01,500\ntranscribe 300\n',
    );
    expect(await transcriptions.create({ model: 'w', file, response_format: 'vtt' })).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\ntranscribe 300\n',
    );
    await expect(transcriptions.create({ model: 'm', file })).rejects.toMatchObject({ message: /hears no audio/ });
    await expect(transcriptions.create({ model: 'w', file, prompt: 'a' })).rejects.toMatchObject({
      status: 400,
      message: /prompt is not known/,
    });
    const to = `${url}/audio/transcriptions`;
    expect((await raw(to, { headers: JSON_TYPE, body: '{}' }))[0]).toBe(415);
    const form = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await raw(to, { headers: form, body: 'no form' }))[0]).toBe(400);
    // A page of another origin may send a form without leave.
    expect((await raw(to, { headers: { ...form, origin: 'https://example.org' }, body: '--x--' }))[0]).toBe(403);
  });

  it('hears of an error in a stream that has begun', async () => {
    const { client } = await serving(PIECES, {
      async answer(_to, _body, { onPart }) {
        onPart({ choices: [{ delta: { content: 'a' } }] });
        throw new Error('the device is gone');
      },
    });
    const stream = await client.chat.completions.create({ model: 'm', messages: MESSAGES, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow(/the device is gone/);
  });
});

describe('the server', () => {
  it('takes no request of a page from elsewhere', async () => {
    const { url } = await serving();
    const body = JSON.stringify({ model: 'm', messages: MESSAGES });
    const to = `${url}/chat/completions`;
    expect(await raw(to, { body, headers: JSON_TYPE })).toMatchObject([200, /Good day/]);
    // A page may send text without leave, and may have its own name point here.
    expect((await raw(to, { body, headers: { 'content-type': 'text/plain' } }))[0]).toBe(415);
    expect((await raw(to, { body, headers: { ...JSON_TYPE, host: 'evil.example:80' } }))[0]).toBe(403);
    expect((await raw(to, { method: 'OPTIONS', headers: { origin: 'http://evil.example' } }))[0]).toBe(405);
  });

  it('refuses what is no JSON, no object, too long, or elsewhere', async () => {
    const { url } = await serving();
    const to = `${url}/chat/completions`;
    expect((await raw(to, { body: '{', headers: JSON_TYPE }))[0]).toBe(400);
    expect((await raw(to, { body: '[]', headers: JSON_TYPE }))[0]).toBe(400);
    expect((await raw(to, { body: 'null', headers: JSON_TYPE }))[0]).toBe(400);
    expect((await raw(to, { body: ' '.repeat(2 ** 24 + 1), headers: JSON_TYPE }))[0]).toBe(413);
    expect((await raw(`${url}/frob`, { body: '{}', headers: JSON_TYPE }))[0]).toBe(404);
    expect((await raw(`${url}/constructor`, { body: '{}', headers: JSON_TYPE }))[0]).toBe(404);
    expect((await raw(to, { method: 'GET' }))[0]).toBe(405);
  });
});
