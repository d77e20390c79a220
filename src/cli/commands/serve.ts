import { basename } from 'node:path';
import { serveApi } from '../api-server.ts';
import { resolveModel } from '../files.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface ServeOptions extends ModelOptions {
  readonly host: string;
  readonly port: number;
  /** The name by which requests call the model: its folder's where absent. */
  readonly name?: string;
}

/** Serves a model of text, one that gives texts vectors, or one that hears, over HTTP, in the shape of OpenAI's API, until the command is stopped. */
export async function serve(model: string, options: ServeOptions, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  const name = options.name ?? basename(model);
  await withRuntime(context, async (runtime) => {
    const args = { model: await runtime.model(source), load: loadArgs(options) };
    await runtime.run('ready', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    const server = await serveApi(
      {
        name,
        answer: (to, { file, ...body }, { signal: left, onPart }) =>
          runtime.run(
            'answer',
            { ...args, name, to, body, ...(file instanceof Uint8Array && { file: runtime.lend([file]) }) },
            {
              signal: AbortSignal.any([signal, left]),
              onEvent: (event) => {
                if (event.type === 'part') onPart(event.part);
              },
            },
          ),
      },
      { ...options, onRequest: (line) => terminal.note(terminal.paintNote('dim', line)) },
    );
    try {
      terminal.print(`${name} answers at ${server.url} until Ctrl-C`);
      terminal.result({ model: name, url: server.url });
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    } finally {
      await server.close();
    }
  });
}
