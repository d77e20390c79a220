import { bytes } from '../format.ts';
import type { Device } from '../jobs/devices.ts';
import { openRuntime } from '../open-runtime.ts';
import type { RuntimeName } from '../runtime.ts';
import { toWire, type WireError } from '../wire.ts';
import type { CommandContext } from './context.ts';

interface Found {
  readonly runtime: RuntimeName;
  readonly description?: string;
  readonly devices?: readonly Device[];
  readonly error?: WireError;
}

/**
 * The adapters of each runtime, with features and limits. Where only one runtime is asked for, its errors are the
 * command's.
 */
export async function devices(only: RuntimeName | undefined, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const found: Found[] = [];
  for (const name of only ? [only] : (['chrome', 'dawn'] as const)) {
    const one = await look(name, context.signal).catch((error: unknown): Found => {
      if (only || context.signal.aborted) throw error;
      return { runtime: name, error: toWire(error) };
    });
    found.push(one);
    for (const line of lines(one, (text) => terminal.paint('bold', text))) terminal.print(line);
  }
  terminal.result(found);
}

async function look(name: RuntimeName, signal: AbortSignal): Promise<Found> {
  const runtime = await openRuntime(name, signal);
  try {
    return { runtime: name, description: runtime.description, devices: await runtime.run('devices', {}, { signal }) };
  } finally {
    await runtime.close();
  }
}

function lines({ runtime, description, devices: list = [], error }: Found, strong: (text: string) => string): string[] {
  if (error) return [`${strong(runtime)}: ${error.message}`, ...(error.hint ? [`  ${error.hint}`] : []), ''];
  return [
    `${strong(runtime)}: ${description}`,
    ...list.flatMap(({ name, features, limits }) => [
      `  ${strong(name)}`,
      ...wrap(`features  ${features.join(' ')}`, 110).map((line, n) => `    ${n ? ' '.repeat(10) : ''}${line}`),
      ...Object.entries(limits).map(
        ([limit, value]) => `    ${limit.padEnd(36)} ${/Size$/.test(limit) && value >= 1024 ? bytes(value) : value}`,
      ),
    ]),
    '',
  ];
}

/** Breaks a line between words. */
function wrap(text: string, width: number): string[] {
  return (text.match(new RegExp(`.{1,${width}}(\\s|$)`, 'g')) ?? []).map((line) => line.trimEnd());
}
