import { readFileSync } from 'node:fs';
import type { Browser, Page, Request } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecoderSize, decoderShapes, randomTensors, safetensorsOf } from '../../bench/models.ts';
import { byteLevelTokenizer } from '../text/byte-level.ts';
import {
  arrives,
  codeBytes,
  expectNoOverflow,
  expectOrder,
  expectStill,
  faults,
  hand,
  momentOf,
  type OpenPage,
  openPage,
  PATIENCE,
  problem,
  startBrowser,
  tabOrder,
  takePictures,
  textOf,
  untilText,
} from './support.ts';

/** What the model says: it is made of random numbers, so in no order. */
const WORDS =
  'a the one each of in on and or to is was lays fits turns holds warm blue small even tile wall roof kiln clay glaze grout edge corner row light day , .'.split(
    ' ',
  );
const BYTES = 256;
const VOCABULARY = BYTES + WORDS.length + 1;
/** Long enough that a reply does not end before it is stopped. */
const CONTEXT = 4096;
/** Soon full. */
const SHORT = 320;

const SIZE: DecoderSize = {
  model_type: 'llama',
  vocab_size: VOCABULARY,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: CONTEXT,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
};

/** Everything but what is said: a byte is a token of the prompt. */
const TEMPLATE = '{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}assistant:';
const promptTokens = (...turns: readonly (readonly [role: string, content: string])[]): number =>
  Buffer.byteLength(`${turns.map(([role, content]) => `${role}:${content}\n`).join('')}assistant:`);

type Files = Parameters<typeof hand>[2];
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const file = (name: string, bytes: Uint8Array): Files[number] => ({ name, type: '', bytes });

/** The files of a Llama that has a template for conversations, or none. Of all tokens the words are likely. */
function folder({ template = true, context = CONTEXT } = {}): Files {
  const width = SIZE.hidden_size;
  const head = ['lm_head.weight', [VOCABULARY, width], 1] as const;
  const tensors = new Map(randomTensors([...decoderShapes(SIZE), head]));
  const rows = tensors.get(head[0])!;
  const isWord = (row: number): boolean => row >= BYTES && row < VOCABULARY - 1;
  tensors.set(head[0], { ...rows, data: rows.data.map((value, i) => (isWord(Math.floor(i / width)) ? value : 0)) });
  const words = WORDS.map((word) => [...Buffer.from(/\w/.test(word) ? ` ${word}` : word)]);
  return [
    file(
      'config.json',
      json({
        ...SIZE,
        max_position_embeddings: context,
        tie_word_embeddings: false,
        eos_token_id: VOCABULARY - 1,
      }),
    ),
    file('model.safetensors', safetensorsOf(tensors)),
    file('tokenizer.json', json(byteLevelTokenizer(words))),
    file('tokenizer_config.json', json(template ? { chat_template: TEMPLATE } : {})),
  ];
}

const GGUF = readFileSync(new URL('../fixtures/gguf/llama.gguf', import.meta.url));

let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  open = await openPage(browser, 'examples/chat/', { viewport: { width: 360, height: 740 } });
  page = open.page;
}, PATIENCE);
afterAll(() => browser?.close());

const message = () => page.getByLabel('Message');
const press = (name: string | RegExp) => page.getByRole('button', { name, exact: true }).click();
const said = (): Promise<string> => textOf(page.locator('.turn.assistant .said').last());
const speed = (): Promise<string> => textOf(page.locator('#speed'));
const idle = () => arrives(page, '#log[aria-busy=false]');

/** Waits until the model that was given is there. */
async function loaded(name: RegExp): Promise<void> {
  await untilText(page.locator('#loaded'), name);
  await arrives(page, '#go:enabled');
}

async function send(text: string): Promise<string> {
  await message().fill(text);
  await message().press('Enter');
  await arrives(page, '.turn.user');
  await idle();
  return said();
}

async function atMost(tokens: string): Promise<void> {
  await page.getByLabel('Tokens a reply at most').fill(tokens);
}

/** Tokens of the context as the page says them. */
async function context(): Promise<{ used: number; left: number; of: number }> {
  const [used, left] = [await textOf(page.locator('#used')), await textOf(page.locator('#left'))];
  const [, rest, of] = /^([\d,]+) of ([\d,]+)$/.exec(left)!;
  const [, taken] = /^([\d,]+) tokens$/.exec(used)!;
  const count = (text: string | undefined): number => Number(text!.replace(',', ''));
  return { used: count(taken), left: count(rest), of: count(of) };
}

describe('the chat page', { timeout: 2 * PATIENCE }, () => {
  it('has nothing of the engine before a model is chosen, then takes a folder, and nothing of it moves', async () => {
    await page.locator('#picker .picker').waitFor();
    expect(await codeBytes(page)).toBeLessThan(40_000);
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    expect(await page.locator('#log').evaluate((log) => log.childElementCount)).toBe(0);
    await hand(page, 'drop', folder());
    await loaded(/^4 files: llama, 2 layers of 64, int8\. Ready after/);
    expect(await codeBytes(page)).toBeGreaterThan(60_000);
    await expectStill(page);
    expect(await context()).toEqual({ used: 0, left: CONTEXT, of: CONTEXT });
    await untilText(page.locator('#memory'), /^[\d.,]+ [kM]B$/);
  });

  it('streams a reply, and stops by the button and by Escape', async () => {
    const since = await momentOf(page);
    await message().fill('Tell me of tiles');
    await message().press('Enter');
    await arrives(page, '.turn.assistant');
    expect(await page.locator('#log').getAttribute('aria-busy')).toBe('true');
    const early = (await said()).length;
    await expect.poll(async () => (await said()).length, { timeout: PATIENCE, interval: 20 }).toBeGreaterThan(early);
    await press('Stop');
    await idle();
    const stopped = await said();
    expect(stopped).toMatch(/ \w+/);
    expect(await speed()).toMatch(/^Stopped after \d+ tokens · [\d.,]+ tokens\/s$/);
    expect((await speed()).split(' · ')[1]).toBe(await textOf(page.locator('#rate')));
    expect(await textOf(page.locator('#first'))).toMatch(/^[\d.]+ m?s$/);
    await expectStill(page, { since });
    await press('Regenerate');
    await expect.poll(async () => (await said()).length, { timeout: PATIENCE, interval: 20 }).toBeGreaterThan(4);
    await page.keyboard.press('Escape');
    await idle();
    const again = await said();
    expect(again).not.toBe(stopped);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await said()).toBe(again);
    expect(await page.locator('.turn').count()).toBe(2);
  });

  it('draws by the settings: at temperature 0 the same again, above it another', async () => {
    await page.getByText('Settings', { exact: true }).click();
    await atMost('12');
    await page.getByLabel('Temperature').fill('0');
    expect(await textOf(page.locator('#temperature-value'))).toBe('greedy');
    const regenerated = async (): Promise<string> => {
      await press('Regenerate');
      await idle();
      expect(await speed()).toMatch(/^Cut off after 12 tokens · [\d.,]+ tokens\/s$/);
      return said();
    };
    const greedy = await regenerated();
    expect(await regenerated()).toBe(greedy);
    await page.getByLabel('Temperature').fill('2');
    expect(await regenerated()).not.toBe(greedy);
    await page.getByLabel('Top-p').fill('0.05');
    await page.getByLabel('Temperature').fill('0.5');
    const likeliest = await regenerated();
    expect(await regenerated()).toBe(likeliest);
    await page.getByLabel('Top-p').fill('0.95');
  });

  it('counts what of the context is used and left, system prompt included', async () => {
    const turn = ['user', 'Tell me of tiles'] as const;
    expect(await context()).toEqual({
      used: promptTokens(turn) + 12,
      left: CONTEXT - promptTokens(turn) - 12,
      of: CONTEXT,
    });
    const share = await page.locator('#context').evaluate((bar) => (bar as HTMLProgressElement).value);
    expect(share).toBeCloseTo((await context()).used / CONTEXT, 5);
    await page.getByLabel('System prompt').fill('Be brief.');
    await press('Regenerate');
    await idle();
    expect((await context()).used).toBe(promptTokens(['system', 'Be brief.'], turn) + 12);
    await page.getByLabel('System prompt').fill('');
  });

  it('shows what is said as text, breaks lines by Shift and Enter, and takes the last turn back', async () => {
    await press('New conversation');
    expect(await page.locator('.turn').count()).toBe(0);
    await untilText(page.locator('#used'), /^0 tokens$/);
    await message().pressSequentially('<b id="bold">');
    await message().press('Shift+Enter');
    await message().pressSequentially('<img src=x>');
    await message().press('Enter');
    await arrives(page, '.turn.assistant');
    await idle();
    expect(await textOf(page.locator('.turn.user .said'))).toBe('<b id="bold">\n<img src=x>');
    expect(await page.locator('#log :is(b, img)').count()).toBe(0);
    await press('Edit last');
    expect(await message().inputValue()).toBe('<b id="bold">\n<img src=x>');
    expect(await message().evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await page.locator('.turn').count()).toBe(0);
  });

  it('says where the context is full, and goes on without the oldest turns', async () => {
    await hand(page, 'drop', folder({ context: SHORT }));
    await untilText(page.locator('#left'), new RegExp(` of ${SHORT}$`));
    await send('One');
    await atMost('');
    await send('Two');
    expect(await speed()).toBe('The context is full: leave out the oldest');
    expect(await context()).toEqual({ used: SHORT, left: 0, of: SHORT });
    await message().fill('Three');
    await message().press('Enter');
    expect(await problem(page, 'context-exceeded')).toMatch(
      /more than the context of 320[\s\S]*Leave out older messages/,
    );
    expect(await page.locator('.turn').count()).toBe(5);
    await press('Leave out oldest');
    await press('Leave out oldest');
    expect(await page.locator('.turn').allTextContents()).toEqual(['YouThree']);
    await untilText(page.locator('#used'), new RegExp(`^${promptTokens(['user', 'Three'])} tokens$`));
    await atMost('5');
    await press('Regenerate');
    await arrives(page, '.turn.assistant');
    await idle();
    expect((await context()).used).toBe(promptTokens(['user', 'Three']) + 5);
  });

  it('refuses a folder without a template and says what to do, and keeps its model', async () => {
    await hand(page, 'drop', folder({ template: false }));
    expect(await problem(page, 'not-found')).toMatch(/4 files has no chat template[\s\S]*Instruct[\s\S]*page Generate/);
    await send('Still there?');
    expect(await speed()).toMatch(/^Cut off after 5 tokens · /);
    expect(await textOf(page.locator('#problem'))).toBe('');
  });

  it('plays Juliet with the model that ships, by files of its own server alone', async () => {
    const asked = new Set<string>();
    const note = (request: Request): unknown => asked.add(new URL(request.url()).host);
    page.on('request', note);
    await page.getByText('Suggested').click();
    await page.getByRole('button', { name: 'Shakespeare' }).click();
    await loaded(/^Shakespeare: llama, 6 layers of 192, int8\. Ready after/);
    await press('New conversation');
    await atMost('');
    await page.getByLabel('Temperature').fill('0');
    const speech = await send('Good night, good night!');
    expect(await speed()).toMatch(/^\d+ tokens · [\d.,]+ tokens\/s$/);
    expect(speech.match(/[a-z]{2,}/gi)!.length).toBeGreaterThan(3);
    expect(speech).not.toContain('\n\n');
    expect((await context()).of).toBe(256);
    page.off('request', note);
    await atMost('5');
    await page.getByLabel('Temperature').fill('0.5');
    expect([...asked]).toEqual([new URL(page.url()).host]);
  });

  it('takes a GGUF file, whose template it has within', async () => {
    await hand(page, 'drop', [file('tiny.gguf', GGUF)]);
    await loaded(/^tiny\.gguf: llama, 2 layers of 24, int8\./);
    await press('New conversation');
    await send('Hi');
    expect(await speed()).toMatch(/^(Cut off after )?\d tokens( · |$)/);
    expect((await context()).of).toBe(96);
  });

  it('asks before it fetches more than 20 MB by name, and keeps what it fetched', async () => {
    const fetched: string[] = [];
    const files = new Map(folder().map(({ name, bytes }) => [name, Buffer.from(bytes)]));
    const shards = new Map([
      ['model.safetensors.index.json', Buffer.from(json({ weight_map: { a: '1.safetensors', b: '2.safetensors' } }))],
      ...['1.safetensors', '2.safetensors'].map((name) => [name, Buffer.alloc(2 ** 17)] as const),
    ]);
    const sizes: Record<string, number> = { 'org/large': 300e6, 'org/shards': 15e6 };
    await page.route('https://huggingface.co/**', (route) => {
      const [, model, name = ''] = /co\/(org\/\w+)\/resolve\/main\/(.+)$/.exec(route.request().url())!;
      const bytes = model === 'org/shards' ? shards.get(name) : files.get(name);
      fetched.push(`${model}/${name}`);
      const open = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*', etag: '"1"' };
      if (!bytes) return route.fulfill({ status: 404, headers: open });
      // Only the first bytes are there of what is large: it is never fetched.
      const size = name.endsWith('.safetensors') ? (sizes[model!] ?? bytes.length) : bytes.length;
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(route.request().headers()['range']!)!.map(Number) as number[];
      const end = Math.min(to! + 1, bytes.length);
      const range = { 'content-range': `bytes ${from}-${end - 1}/${size}` };
      return route.fulfill({ status: 206, headers: { ...open, ...range }, body: bytes.subarray(from!, end) });
    });
    const load = async (name: string): Promise<void> => {
      await page.getByText('Address', { exact: true }).click();
      await page.getByLabel(/^A name on the hub/).fill(name);
      await press('Load');
    };
    await load('org/large');
    await untilText(page.locator('#ask'), /^large: 300 MB to download\./);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Download 300 MB');
    await takePictures(page, 'chat-asks');
    await press('Not now');
    expect(await textOf(page.locator('#ask'))).toBe('');
    expect(new Set(fetched)).toEqual(new Set(['org/large/model.safetensors']));
    await load('org/shards');
    await untilText(page.locator('#ask'), /^shards: 30\.0 MB to download\./);
    await page.route('**/cut.gguf', (route) => route.abort());
    await load('cut.gguf');
    await untilText(page.locator('#ask'), /^cut\.gguf: an unknown size to download\./);
    await load('org/small');
    await loaded(/^small: llama/);
    await page.getByText('Kept in this browser').click();
    await untilText(page.locator('#kept'), /^org\/small@main [\d.]+ kBRemove$/);
    await press('Remove org/small@main');
    await untilText(page.locator('#kept'), /^Nothing so far\.$/);
    await page.getByText('Kept in this browser').click();
    open.errors.splice(
      0,
      open.errors.length,
      ...open.errors.filter((error) => !/404.*huggingface|cut\.gguf/.test(error)),
    );
  });

  it('is usable by keyboard, fits 360 pixels, and has no fault that axe finds', async () => {
    await page.getByText('Suggested').click();
    expect(await textOf(page.locator('.offers'))).toMatch(/^Shakespeare.*SmolLM2 135M269 MB.*Qwen2\.5 0\.5B988 MB/);
    await press('New conversation');
    await atMost('40');
    await send('What makes a tile fit?');
    await send('And a wall of them, from the floor up to the roof?');
    expectOrder(await tabOrder(page), [
      /^Skip/,
      /^Chat/,
      /^Suggested/,
      /^Shakespeare/,
      /^SmolLM2 135M/,
      /^Weights in/,
      /^Kept/,
      /^Turns/,
      /^Message/,
      /^Send/,
      /^Regenerate/,
      /^Edit last/,
      /^Leave out/,
      /^New/,
      /^Settings/,
      /^System prompt/,
      /^Temperature/,
      /^Top-p/,
      /^Tokens/,
    ]);
    for (const width of [320, 360, 1440]) await expectNoOverflow(page, width);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await faults(page)).toEqual([]);
    }
    await takePictures(page, 'chat-talk');
  });

  it('logged no error', () => expect(open.errors).toEqual([]));

  it('goes on with a new device where its own was lost, and replies to what was said', async () => {
    const { page: other, errors } = await openPage(browser, 'examples/chat/', {
      before: (fresh) =>
        fresh.addInitScript(() => {
          const request = GPUAdapter.prototype.requestDevice;
          GPUAdapter.prototype.requestDevice = async function (...how) {
            const device = await request.apply(this, how);
            Object.assign(window, { device });
            return device;
          };
        }),
    });
    await hand(other, 'drop', folder());
    await arrives(other, '#go:enabled');
    await other.evaluate(() => (window as unknown as { device: GPUDevice }).device.destroy());
    await other.getByLabel('Message').fill('Are you there?');
    await other.getByLabel('Message').press('Enter');
    await problem(other, 'device-lost');
    await other.getByRole('button', { name: 'Try again' }).click();
    await arrives(other, '.turn.assistant');
    expect(await textOf(other.locator('.turn.user .said'))).toBe('Are you there?');
    expect(errors).toEqual([]);
    await other.context().close();
  });
});
