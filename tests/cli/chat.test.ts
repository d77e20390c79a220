import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { chat, converse, type Talk } from '../../src/cli/commands/chat.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { TilewrightError } from '../../src/errors.ts';
import type { ChatMessage } from '../../src/text/chat.ts';
import { findVulkanDriver } from '../../tools/vulkan.mjs';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

/** A terminal that remembers what it was told. */
function listening() {
  const told = { out: '', notes: [] as string[], result: undefined as unknown };
  const terminal: Terminal = {
    json: false,
    bars: { ready: async () => {}, clear: () => {}, update: () => {} } as unknown as Terminal['bars'],
    print: (line = '') => {
      told.out += `${line}\n`;
    },
    write: (text) => {
      told.out += text;
    },
    note: (line) => void told.notes.push(line),
    paint: (_, text) => text,
    paintNote: (_, text) => text,
    result: (value) => {
      told.result = value;
    },
  };
  return { told, terminal };
}

/** A model that says after 5 ms each letter of the last message, in capitals. `seen` has what it was asked. */
function loud(context = 100) {
  const seen: { messages: readonly ChatMessage[]; number: number }[] = [];
  const reply: Talk['reply'] = async (messages, { number, signal, onText }) => {
    seen.push({ messages, number });
    const text = String(messages.at(-1)!.content).toUpperCase();
    if (text.length > context) throw new TilewrightError('context-exceeded', 'too long');
    for (const letter of text) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (signal.aborted) throw new TilewrightError('aborted', 'the work was aborted');
      onText(letter);
    }
    const tokens = [...text].map((_, i) => i);
    return { text, tokens, firstMs: 100, ms: 2100, tokensPerSecond: 12.5, reason: 'stop', promptTokens: 20 };
  };
  return { seen, talk: { context, reply } };
}

/** What came of lines from a pipe. */
async function piped(lines: readonly string[], initial: readonly ChatMessage[] = []) {
  const { told, terminal } = listening();
  const { seen, talk } = loud();
  const input = new PassThrough();
  input.end(lines.map((line) => `${line}\n`).join(''));
  await converse(talk, initial, input, { terminal, signal: new AbortController().signal });
  return { ...told, seen };
}

describe('a conversation in lines', () => {
  it('has a reply to each line, which it remembers, and says how fast it was and what is left', async () => {
    const system = { role: 'system', content: 's' };
    const { out, notes, seen, result } = await piped(['hi', '', 'you'], [system]);
    expect(out).toBe('HI\nYOU\n');
    expect(notes).toEqual([
      '2 tokens in 2.10 s: 12.5 tokens/s, the first after 0.10 s; 78 of 100 tokens of the context are left',
      '3 tokens in 2.10 s: 12.5 tokens/s, the first after 0.10 s; 77 of 100 tokens of the context are left',
    ]);
    expect(seen[1]!.messages).toEqual([system, user('hi'), assistant('HI'), user('you')]);
    expect(result).toMatchObject({
      messages: [system, user('hi'), assistant('HI'), user('you'), assistant('YOU')],
      replies: [{ text: 'HI' }, { text: 'YOU' }],
    });
  });

  it('writes the last reply again with other tokens, begins anew, ends, and knows no other command', async () => {
    const system = { role: 'system', content: 's' };
    const lines = ['/regenerate', 'a', '/regenerate', '/reset', 'b', '/fly now', '/exit', 'c'];
    const { seen, notes } = await piped(lines, [system]);
    expect(seen).toEqual([
      { messages: [system, user('a')], number: 0 },
      { messages: [system, user('a')], number: 1 },
      { messages: [system, user('b')], number: 2 },
    ]);
    expect(notes[0]).toBe('there is no reply to write again');
    expect(notes.at(-1)).toMatch(/^there is no command \/fly\. .*\/regenerate.*\/reset.*\/exit/);
  });

  it('ends with the first error, and where it is aborted, while it waits too', async () => {
    await expect(piped(['a', 'b'.repeat(101), 'c'])).rejects.toMatchObject({ code: 'context-exceeded' });
    for (const lines of ['a'.repeat(90), '']) {
      const { terminal, told } = listening();
      const abort = new AbortController();
      const input = new PassThrough();
      if (lines) input.write(`${lines}\n`);
      setTimeout(() => abort.abort(), 100);
      const talking = converse(loud().talk, [], input, { terminal, signal: abort.signal });
      await expect(talking).rejects.toMatchObject({ code: 'aborted' });
      expect(told.out).toMatch(lines ? /^A+\n$/ : /^$/);
      expect(told.result).toBeUndefined();
    }
  });
});

describe('a conversation with someone who types', () => {
  let typed: PassThrough & { isTTY?: boolean };
  beforeEach(() => {
    typed = Object.assign(new PassThrough(), { isTTY: true });
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());

  it('has a reply stopped by Ctrl-C, keeps what there is of it, and ends by the next', async () => {
    const { told, terminal } = listening();
    const { seen, talk } = loud();
    const talking = converse(talk, [], typed, { terminal, signal: new AbortController().signal });
    typed.write(`${'a'.repeat(90)}\r`);
    await expect.poll(() => told.out).toMatch(/^AAA/);
    typed.write('\x03');
    await expect.poll(() => told.notes.at(-1)).toBe('stopped');
    expect(told.out).toMatch(/^A{3,89}\n$/);
    const part = told.out.trim();
    typed.write(`${'b'.repeat(101)}\r`);
    await expect.poll(() => told.notes.at(-1)).toBe('too long: /reset begins anew');
    typed.write('c\r');
    await expect.poll(() => told.out).toMatch(/C\n$/);
    expect(seen.at(-1)!.messages).toEqual([user('a'.repeat(90)), assistant(part), user('c')]);
    typed.write('\x03');
    await talking;
    expect(told.result).toMatchObject({ messages: { length: 4 }, replies: [{ text: 'C' }] });
  });

  it('ends by Ctrl-D', async () => {
    const { told, terminal } = listening();
    const talking = converse(loud().talk, [], typed, { terminal, signal: new AbortController().signal });
    typed.write('a\r');
    await expect.poll(() => told.out).toBe('A\n');
    typed.write('\x04');
    await talking;
    expect(told.notes[0]).toContain('Ctrl-C stops a reply');
  });
});

// Without a driver for Dawn nothing answers here.
describe.runIf(findVulkanDriver())('tilewright chat', { timeout: 120_000 }, () => {
  const shipped = fileURLToPath(new URL('../../weights/gpt-shakespeare', import.meta.url));
  let folder: string;
  beforeAll(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'tilewright-')), 'shakespeare');
    cpSync(shipped, folder, { recursive: true });
    const template = '{% for m in messages %}{{ m.role }}:\n{{ m.content }}\n\n{% endfor %}JULIET:';
    writeFileSync(join(folder, 'chat_template.jinja'), template);
  });
  afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

  /** What came of lines, with a model. */
  async function talked(model: string, ...lines: string[]) {
    const { told, terminal } = listening();
    const input = new PassThrough();
    input.end(lines.join('\n'));
    const options = { system: 'Speak.', temperature: 0, maxNewTokens: 8, seed: 1 };
    await chat(model, options, { terminal, signal: new AbortController().signal, runtime: 'dawn' }, input);
    return { ...told, result: told.result as { messages: ChatMessage[]; replies: { promptTokens: number }[] } };
  }

  it('talks to a model by its template', async () => {
    const { out, notes, result } = await talked(folder, 'My love!', '/regenerate', 'Speak again.');
    const [first, second, ...others] = result.messages.filter(({ role }) => role === 'assistant');
    expect(others).toEqual([]);
    expect(out).toBe([first, first, second].map((message) => `${message!.content}\n`).join(''));
    expect(result.messages[0]).toEqual({ role: 'system', content: 'Speak.' });
    expect(result.replies.map(({ promptTokens }) => promptTokens)).toEqual([
      result.replies[0]!.promptTokens,
      result.replies[0]!.promptTokens,
      expect.any(Number),
    ]);
    expect(result.replies[2]!.promptTokens).toBeGreaterThan(result.replies[0]!.promptTokens + 8);
    expect(notes.slice(-1)[0]).toMatch(/^8 tokens in .* tokens\/s, .*; \d+ of 256 tokens of the context are left$/);
  });

  it('says that a model has no template before a line is read', async () => {
    await expect(talked(shipped)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('has no chat template'),
    });
  });
});
