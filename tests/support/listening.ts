import type { CommandContext } from '../../src/cli/commands/context.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** A command's world, on Dawn, and what the command printed there. */
export function listening(): {
  told: { lines: string[]; result: unknown };
  context: CommandContext;
} {
  const told = { lines: [] as string[], result: undefined as unknown };
  const terminal = {
    json: false,
    bars: { ready: async () => {}, clear: () => {}, update: () => {} },
    print: (line = '') => void told.lines.push(line),
    write: (text: string) => void told.lines.push(text),
    note: () => {},
    paint: (_: string, text: string) => text,
    paintNote: (_: string, text: string) => text,
    result: (value: unknown) => {
      told.result = value;
    },
  } as unknown as Terminal;
  return { told, context: { terminal, signal: new AbortController().signal, runtime: 'dawn' } };
}
