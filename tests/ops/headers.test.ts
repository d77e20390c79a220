import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { link } from '../../src/gpu/wgsl.ts';
import { variants } from '../support/variants.ts';

const SHADERS = new URL('../../shaders/', import.meta.url);

/** A name of another module: `a_at (operand_a)`. */
type Port = `${string} (${string})`;

interface Header {
  readonly listed: readonly Port[];
  /** The kernel whose list this one adds to: `ports   as conv2d_depthwise`. */
  readonly as: string | undefined;
}

/** The `ports` of the comment at the top of a file: `name, name (module)`, several modules where variants differ; undefined without such a line. */
function headerOf(file: string): Header | undefined {
  const lines = readFileSync(new URL(`${file}.wgsl`, SHADERS), 'utf8').split('\n');
  const comment = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  const at = comment.findIndex((line) => line.startsWith('// ports '));
  if (at < 0) return undefined;
  const end = comment.findIndex((line, i) => i > at && !line.startsWith('//   '));
  const text = comment
    .slice(at, end < 0 ? undefined : end)
    .map((line) => line.replace(/^\/\/( ports)?/, ''))
    .join(' ');
  const listed = [...text.matchAll(/([\w, ]*\w) +\(([\w, ]+)\)/g)].flatMap(([, names, modules]) =>
    modules!.split(', ').flatMap((module) =>
      names!
        .replace(/^ *as \w+.*, and /, '')
        .split(',')
        .map((name): Port => `${name.trim()} (${module})`),
    ),
  );
  return { listed, as: text.match(/^ *as (\w+)/)?.[1] };
}

/** Of each file: what it calls of other modules, and all that is linked beside it. */
const calls = new Map<string, Set<Port>>();
const linked = new Map<string, Set<Port>>();

for (const variant of variants()) {
  const { code, pieces } = link(variant);
  const lines = code.split('\n');
  const homes = new Map(pieces.map(({ name, module }) => [name, module.name.replace('lib/', '')]));
  // Functions, structs and types: units and other numbers come with them, and a variable may share its name with a parameter.
  const isPort = new Map(pieces.map(({ name, first }) => [name, /^(fn|struct|alias)\b/.test(lines[first - 1]!)]));
  const all = [...homes].map(([name, module]): Port => `${name} (${module})`);
  for (const { module, words } of pieces) {
    const beside = linked.get(module.name) ?? new Set();
    linked.set(module.name, beside);
    for (const port of all) beside.add(port);
    const called = calls.get(module.name) ?? new Set();
    calls.set(module.name, called);
    for (const word of words) {
      const name = word === 'params' ? 'Params' : word === 'window' ? 'Window' : word; // the linker declares these two
      const home = homes.get(name);
      if (isPort.get(name) && home !== module.name.replace('lib/', '')) called.add(`${name} (${home})`);
    }
  }
}

describe('the ports that a header lists', () => {
  const kernels = readdirSync(SHADERS)
    .filter((file) => file.endsWith('.wgsl'))
    .map((file) => file.slice(0, -5));
  const modules = readdirSync(new URL('lib/', SHADERS))
    .map((file) => `lib/${file.slice(0, -5)}`)
    .filter(headerOf);

  it.each([...kernels, ...modules])('%s: what it calls, and nothing that is never linked with it', (file) => {
    const { listed, as } = headerOf(file) ?? { listed: [], as: undefined };
    const known = new Set([...listed, ...(as === undefined ? [] : headerOf(as)!.listed)]);
    expect([...calls.get(file)!].filter((port) => !known.has(port))).toEqual([]);
    expect(listed.filter((port) => !linked.get(file)!.has(port))).toEqual([]);
  });
});
