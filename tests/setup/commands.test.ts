import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { build } from '../../src/cli/program.ts';
import { allBlocks, ROOT } from '../pages/docs/blocks.ts';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const COMPILER = readFileSync(join(ROOT, 'tools/gpu-compiler/command.mjs'), 'utf8');
const SUITES = readFileSync(join(ROOT, 'tools/test.mjs'), 'utf8');

/** The words of a line of shell, quotes and variables before them taken off, up to a comment. */
function words(line: string): string[] {
  const [code = ''] = line.replace(/^(?:[A-Z_]+=\S+\s+)+/, '').split(/(?:^|\s)#/);
  return [...code.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!);
}

/** Parses the command's own arguments, and does nothing. @throws where the command would refuse them */
async function parse(args: readonly string[]): Promise<void> {
  const program = build(new AbortController().signal);
  const quiet = (command: Command): Command => command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const command of quiet(program).commands) quiet(command).action(() => {});
  await program.parseAsync(args, { from: 'user' }).catch((error) => {
    if (error.code !== 'commander.helpDisplayed') throw error;
  });
}

/** What a line of shell may be, by its first words, and what its other words have to be. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  'npm run -s tilewright --': parse,
  'npx tilewright-cli': parse,
  'npm run bench --': (args) => parse(['bench', ...args]),
  'npm run gpu-compiler --': (args) => {
    for (const flag of args.filter((arg) => arg.startsWith('--'))) expect(COMPILER).toMatch(new RegExp(`'${flag}[ ']`));
  },
  'npm test --': (names) => {
    for (const name of names) expect(SUITES).toMatch(new RegExp(`^ {2}(async )?${name}[:(]`, 'm'));
  },
  'npm install': (names) => expect(names).toEqual(['tilewright']),
  'npm run': ([name]) => expect(Object.keys(scripts)).toContain(name),
  'npm start': (args) => expect(args).toEqual([]),
  'npm test': (args) => expect(args).toEqual([]),
  'npx esbuild': (args) => {
    const help = execFileSync(join(ROOT, 'node_modules/.bin/esbuild'), ['--help'], { encoding: 'utf8' });
    for (const [flag] of args.flatMap((arg) => [...arg.matchAll(/^--\w+/g)])) expect(help).toContain(`${flag}`);
  },
  'npx vitest': exist,
  'npx deno': exist,
  python: exist,
  node: exist,
};

/** Every word that is a path of the repository is there; of a test, its beginning is. */
function exist(args: readonly string[]): void {
  for (const path of args.filter((arg) => /^(tests|tools|node_modules)\//.test(arg))) {
    const ends = ['', '.ts', '.test.ts', '.gpu.test.ts'].map((end) => join(ROOT, path + end));
    expect(ends.some(existsSync), path).toBe(true);
  }
}

const lines = allBlocks()
  .filter(({ kind }) => kind === 'sh')
  .flatMap(({ page, code }) => code.split('\n').map((line) => [page, line] as const))
  .filter(([, line]) => words(line).length);

it.each(lines)('%s: %s', async (_, line) => {
  const all = words(line).join(' ');
  const [name] = Object.keys(COMMANDS)
    .filter((known) => `${all} `.startsWith(`${known} `))
    .sort((a, b) => b.length - a.length);
  expect(name, `a line of shell that nothing checks: ${line}`).toBeDefined();
  await COMMANDS[name!]!(words(line).slice(name!.split(' ').length));
});

it('what the command would refuse is seen', async () => {
  for (const line of ['run', 'profile m --fast', 'fly', 'bench --suite sort', 'plan m --dtype int2'])
    await expect(parse(words(line)), line).rejects.toThrow();
});
