import { describe, expect, it } from 'vitest';
import type { NetworkOptions } from '../../src/hub/policy.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const PROMPT = [1, 2, 3];

/** A network that has the fixture, and does as `trick` says with the answers to the second range of its weights and to later ones. */
async function network(
  trick: (answer: Response, count: number) => Response | Promise<Response>,
): Promise<NetworkOptions> {
  const [weights, config] = await Promise.all(
    ['model.safetensors', 'config.json'].map((name) => readAnywhere(`${GPT}/${name}`)),
  );
  let count = 0;
  return {
    retries: 2,
    stall: 200,
    async fetch(url, { headers }) {
      const file = url.endsWith('/model.safetensors') ? weights! : url.endsWith('/config.json') ? config! : undefined;
      if (!file) return new Response('', { status: 404 });
      const [start = 0, last = 0] = /(\d+)-(\d+)/
        .exec((headers as Record<string, string>)['Range']!)!
        .slice(1)
        .map(Number);
      const end = Math.min(last + 1, file.length);
      const range = { 'content-range': `bytes ${start}-${end - 1}/${file.length}`, etag: '"1"' };
      const answer = new Response(file.slice(start, end) as BodyInit, { status: 206, headers: range });
      return start === 0 ? answer : trick(answer, count++);
    },
  };
}

const answered = (status: number, headers: HeadersInit = {}): Response => new Response('', { status, headers });
const cut = async (answer: Response): Promise<Response> => {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return new Response(bytes.slice(0, bytes.length / 2), { status: 206, headers: answer.headers });
};
const changed = (answer: Response): Response => {
  const headers = new Headers(answer.headers);
  headers.set('etag', '"2"');
  return new Response(answer.body, { status: 206, headers });
};

/** Loads the fixture over a network, while uploads are counted. */
async function load(options: NetworkOptions, signal?: AbortSignal) {
  const engine = await testEngine();
  let uploads = 0;
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase === 'upload') uploads++;
  };
  const loading = engine.load('http://models.invalid/gpt2', {
    network: options,
    onProgress,
    ...(signal && { signal }),
  });
  return { engine, model: (await loading.finally(() => expect(uploads).toBeGreaterThan(0))) as TextGenerator };
}

describe('a load over a network', () => {
  it('that breaks and comes again gives what the files give', async () => {
    const { engine, model } = await load(await network((answer, count) => (count ? answer : cut(answer))));
    using local = (await engine.load(GPT)) as TextGenerator;
    expect(await model.logits(PROMPT)).toEqual(await local.logits(PROMPT));
    model.dispose();
  });

  it.each<[string, string, (answer: Response) => Response | Promise<Response>]>([
    ['file-changed', 'the file becomes another', changed],
    ['file-changed', 'it is shorter', () => answered(416, { 'content-range': 'bytes */9' })],
    ['not-found', 'it is gone', () => answered(404)],
    ['network', 'the server fails', () => answered(503)],
    ['network', 'the connection breaks each time', cut],
    ['network', 'nothing comes any more', () => new Promise(() => {})],
  ])('fails with %s where %s, and leaves nothing on the device', async (code, _, trick) => {
    const { bytes, hostBytes } = (await testEngine()).counters;
    await expect(network(trick).then((options) => load(options))).rejects.toMatchObject({ code });
    const { bytes: left, hostBytes: held } = (await testEngine()).counters;
    expect({ bytes: left, hostBytes: held }).toEqual({ bytes, hostBytes });
  });

  it('ends at once when it is aborted, and leaves nothing on the device', async () => {
    const { bytes } = (await testEngine()).counters;
    const controller = new AbortController();
    let at = 0;
    const options = await network(() => {
      setTimeout(() => {
        at = performance.now();
        controller.abort();
      }, 50);
      return new Promise(() => {});
    });
    await expect(load({ ...options, stall: 60_000 }, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(performance.now() - at).toBeLessThan(1000); // 200 on a machine that is idle
    expect((await testEngine()).counters.bytes).toBe(bytes);
  });
});
