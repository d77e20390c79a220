import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Plugin } from 'vite';
// The package's own "main" is CommonJS under "type": "module"; this file of it is the ES module.
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';

/** The structs that the linker makes uniforms of (src/gpu/wgsl.ts): of no others is the layout asked for. */
const UNIFORMS = ['Params', 'Window'];

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
 * uniforms. Line numbers are kept. A space begins the first line of each directive and each declaration, and no other line: the linker finds
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
  const heads: { name: string; line: number; lines: string[] }[] = [{ name: '', line: 1, lines: [] }];
  text.split('\n').forEach((line, index) => {
    const part = line.match(/^\/\/# (\w+)/)?.[1];
    if (part) heads.push({ name: part, line: index + 2, lines: [] });
    else heads.at(-1)!.lines.push(packed(line.replace(/\/\/.*$/, '')));
  });
  const describe = ({ line, lines }: { line: number; lines: string[] }) => {
    const source = marked(file, line, lines).join('\n').trimEnd();
    return { line, source, ...reflect(file, source) };
  };
  const [whole, ...parts] = heads;
  const common = describe(whole!);
  return {
    name: file.replace(/^shaders\/|\.wgsl$/g, ''),
    texts: common.source ? [common] : [],
    ...(parts.length && { parts: Object.fromEntries(parts.map((part) => [part.name, describe(part)])) }),
  };
}

/** The lines, with a space before those that begin a directive or a declaration. */
function marked(file: string, first: number, lines: readonly string[]): string[] {
  let depth = 0;
  let begun = '';
  return lines.map((line, index) => {
    const fault = (what: string): Error => new Error(`${file}:${first + index}: ${what}`);
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

function reflect(file: string, source: string) {
  if (!/struct/.test(source)) return {};
  let reflected: WgslReflect;
  try {
    reflected = new WgslReflect(source);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  const uniform = reflected.structs.filter(({ name }) => UNIFORMS.includes(name));
  const structs = Object.fromEntries(
    uniform.map(({ name, size, members }) => [
      name,
      {
        size,
        fields: members.map((m) => ({ name: m.name, offset: m.offset, count: m.size / 4, type: m.type.getTypeName() })),
      },
    ]),
  );
  return uniform.length ? { structs } : {};
}
