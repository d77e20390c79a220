import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Plugin } from 'vite';
// The package's own "main" is CommonJS under "type": "module"; this file of it is the ES module.
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';

/** The structs that the linker makes uniforms of (src/gpu/wgsl.ts): of no others is the layout asked for. */
const UNIFORMS = ['Params', 'Window', 'Bias'];

/** Spaces that mean nothing: beside punctuation, and beside an operator unless another is next to it (`- -`, `> =`). */
const BESIDE_MARKS = / *([,;:{}()]) */g;
const BESIDE_OPERATORS = /(?<![-+*/=<>&|!%^~]) *([+*/=<>&|%^]+) *(?![-+*/=<>&|!%^~])/g;
/** A minus between two operands, and the arrow of a function's result. */
const BESIDE_DASHES = /(?<!-) (-) (?!-)| *(->) */g;
const packed = (line: string): string =>
  line.trim().replace(BESIDE_MARKS, '$1').replace(BESIDE_OPERATORS, '$1').replace(BESIDE_DASHES, '$1$2');

/** What begins a line of its own outside of functions and structs. */
const DIRECTIVE = /^(enable|requires|diagnostic)\b/;
const DECLARATION = /^(@[^;{]*\)\s*)*(fn|const|alias|struct|var(<[^>]*>)?)\s*\w+/;

/**
 * Turns a `.wgsl` file into a module at build time: its source without comments and most spaces, and the layout of the structs that become
 * uniforms. Line numbers are kept: a line of digits stands for so many ends of lines. A space begins the first line of each directive and each declaration, and no other line: the linker finds
 * them by it. A file may hold parts, `//# name` lines before them: a kernel is linked with what stands before the first of them, and with the
 * parts that it needs.
 */
export function wgsl(): Plugin {
  return {
    name: 'wgsl',
    enforce: 'pre',
    async load(id) {
      const path = id.split('?')[0]!;
      if (!path.endsWith('.wgsl')) return null;
      this.addWatchFile(path);
      const file = relative(process.cwd(), path).replaceAll('\\', '/');
      const described = describeFile(file, await readFile(path, 'utf8'));
      return { code: `export default ${JSON.stringify(described)};`, map: { mappings: '' } };
    },
  };
}

/** @throws {Error} where a declaration does not begin a line, or is none that the linker knows */
export function describeFile(file: string, text: string) {
  const heads: { name: string; lines: string[] }[] = [{ name: '', lines: [] }];
  text.split('\n').forEach((line, index) => {
    const part = line.match(/^\/\/# (\w+)/)?.[1];
    // Lines have their numbers in the file in every part.
    if (part) heads.push({ name: part, lines: new Array<string>(index + 1).fill('') });
    else heads.at(-1)!.lines.push(packed(line.replace(/\/\/.*$/, '')));
  });
  const [common, ...parts] = heads.map(({ name, lines }) => ({
    name,
    source: marked(file, lines).join('\n').trimEnd(),
  }));
  const short = (text: string): string => {
    const digits = text.match(/^\d+$/m);
    if (digits) throw new Error(`${file}: a line is nothing but ${digits[0]}`); // it would stand for ends of lines
    return text.replace(/\n{5,}/g, ({ length }) => `\n${length}\n`);
  };
  const structs: Record<string, object> = {};
  for (const { source } of [common!, ...parts]) {
    for (const [name, layout] of Object.entries(reflect(file, source))) {
      structs[name] ??= layout;
      if (JSON.stringify(structs[name]) !== JSON.stringify(layout))
        throw new Error(`${file}: its parts have several ${name}`);
    }
  }
  return {
    name: file.replace(/^shaders\/|\.wgsl$/g, ''),
    texts: common!.source ? [short(common!.source)] : [],
    ...(parts.length && { parts: Object.fromEntries(parts.map(({ name, source }) => [name, short(source)])) }),
    ...(Object.keys(structs).length && { structs }),
  };
}

/** The lines, with a space before those that begin a directive or a declaration. */
function marked(file: string, lines: readonly string[]): string[] {
  let depth = 0;
  let begun = '';
  return lines.map((line, index) => {
    const fault = (what: string): Error => new Error(`${file}:${index + 1}: ${what}`);
    const begins = !begun && line !== '';
    for (const [at, char] of [...line].entries()) {
      begun += char;
      depth += '([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0;
      if (depth || !';}'.includes(char)) continue;
      if (!DIRECTIVE.test(begun) && !DECLARATION.test(begun)) throw fault(`expected a declaration, got '${begun}'`);
      if (at < line.length - 1) throw fault('expected each declaration on a line of its own');
      begun = '';
    }
    if (begun) begun += '\n';
    return begins ? ` ${line}` : line;
  });
}

/** Layouts of the structs that become uniforms. */
function reflect(file: string, source: string) {
  if (!/struct/.test(source)) return {};
  let reflected: WgslReflect;
  try {
    reflected = new WgslReflect(source);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  return Object.fromEntries(
    reflected.structs
      .filter(({ name }) => UNIFORMS.includes(name))
      .map(({ name, size, members }) => [
        name,
        {
          size,
          fields: members.map((m) => ({
            name: m.name,
            offset: m.offset,
            count: m.size / 4,
            type: m.type.getTypeName(),
          })),
        },
      ]),
  );
}
