import { clear, list, remove, usage } from '../../hub/cache/index.ts';
import { bytes, count } from '../format.ts';
import { table } from '../table.ts';
import type { CommandContext } from './context.ts';

/** The models in the cache, the one that was used last first. */
export async function listCache({ terminal }: CommandContext): Promise<void> {
  const models = await list();
  const { place } = await usage();
  const lines = table(
    [
      { title: 'model', elastic: true },
      { title: 'from', elastic: true },
      { title: 'files' },
      { title: 'bytes', right: true },
      { title: 'used' },
    ],
    models.map(({ name, from, files, bytes: size, complete, used }) => [
      name,
      from === name ? '' : from,
      `${files.length}${complete ? '' : ', not complete'}`,
      bytes(size),
      used.toISOString().slice(0, 16).replace('T', ' '),
    ]),
    { heading: (text) => terminal.paint('bold', text) },
  );
  if (models.length) for (const line of lines) terminal.print(line);
  terminal.print(
    `${count(models.length, 'model')}, ${bytes(models.reduce((sum, one) => sum + one.bytes, 0))} in ${place}`,
  );
  terminal.result({ place, models });
}

/** Removes models by name or address; all of them where none is given. */
export async function removeCached(names: readonly string[] | undefined, { terminal }: CommandContext): Promise<void> {
  let files = names ? 0 : await clear();
  for (const name of names ?? []) files += await remove(name);
  terminal.print(`${count(files, 'file')} removed`);
  terminal.result({ files });
}
