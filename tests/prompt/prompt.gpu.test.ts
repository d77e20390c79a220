import { expect, it } from 'vitest';
import { PromptAPI } from '../../src/prompt/index.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';

const TEMPLATE = `{% for m in messages %}{{ m.role }}:
{{ m.content | trim }}

{% endfor %}{% if add_generation_prompt %}assistant:
{% endif %}`;

it('a session talks to a model on the device, in JSON too, and forgets the oldest when the context is full', async () => {
  const shipped = repositoryFolder('weights/gpt-shakespeare');
  const names = ['model.safetensors', 'config.json', 'tokenizer.json'];
  const own = await Promise.all(names.map(async (name) => [name, await readAnywhere(`${shipped}/${name}`)] as const));
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const files = {
    ...Object.fromEntries(own),
    'tokenizer_config.json': text(JSON.stringify({ eos_token: '<|endoftext|>' })),
    'generation_config.json': text(JSON.stringify({ max_new_tokens: 60, temperature: 0 })),
    'chat_template.jinja': text(TEMPLATE),
  };
  const engine = await testEngine();
  const loaded: number[] = [];
  const LanguageModel = new PromptAPI((how) => engine.load(files, how));
  const session = await LanguageModel.create({
    initialPrompts: [{ role: 'system', content: 'Speak.' }],
    monitor: (m) => m.addEventListener('downloadprogress', (event) => loaded.push(event.loaded)),
  });
  expect(loaded.length).toBeGreaterThan(2);
  expect([loaded[0], loaded.at(-1)]).toEqual([0, 1]);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect(await LanguageModel.params()).toEqual({
    defaultTopK: 1024,
    maxTopK: 1024,
    defaultTemperature: 0,
    maxTemperature: 2,
  });

  const [begin, asks] = [session.contextUsage, await session.measureContextUsage('My love!')];
  expect(begin).toBeGreaterThan(3);
  const copy = await session.clone();
  let streamed = '';
  for await (const piece of session.promptStreaming('My love!')) streamed += piece;
  expect(await copy.prompt('My love!')).toBe(streamed);
  expect(streamed).not.toBe('');
  expect(session.contextUsage).toBeGreaterThan(begin + asks);

  const schema = { type: 'object', properties: { name: { type: 'string', maxLength: 4 } }, required: ['name'] };
  const json = await session.prompt('Thy name?', { responseConstraint: schema });
  expect(JSON.parse(json)).toEqual({ name: expect.stringMatching(/^.{0,4}$/su) });

  let overflows = 0;
  session.addEventListener('contextoverflow', () => overflows++);
  const abort = new AbortController();
  const ended = session.prompt('And now?', { signal: abort.signal });
  abort.abort();
  await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  for (let i = 0; i < 6; i++) await session.prompt(`Come hither, lord number ${i}.`);
  expect(overflows).toBeGreaterThan(0);
  expect(session.contextUsage).toBeLessThanOrEqual(session.contextWindow + 4);
  const long = 'love '.repeat(300);
  await expect(session.prompt(long)).rejects.toMatchObject({ name: 'QuotaExceededError', quota: 256 });
  session.destroy();
  await expect(session.prompt('Hi')).rejects.toMatchObject({ name: 'InvalidStateError' });
});
