import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SHADERS } from './files.ts';
import type { KernelPieces } from './kernel-search.ts';

const isComment = (line: string | undefined): boolean => line !== undefined && /^\/\/(?!#)/.test(line);

/** The comment at the top of a kernel's file, but for its list of ports: they follow anyway. */
function headOf(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => !isComment(line));
  const ports = lines.findIndex((line, i) => i < end && line.startsWith('// ports '));
  if (ports < 0) return lines.slice(0, end);
  const after = lines.findIndex((line, i) => i > ports && !line.startsWith('//   '));
  const text = [...lines.slice(0, ports), ...lines.slice(after, end)];
  return text.filter((line, i) => line !== '//' || (i < text.length - 1 && !/^\/\/ consts /.test(text[i + 1]!)));
}

/**
 * A linked kernel for people: the lines of the files, so with their comments, each file under its name. A comment belongs to the declaration
 * below it; what stands at the top of the kernel's file is about all of it.
 */
export async function kernelText({ head, modules }: KernelPieces): Promise<string> {
  const out = [...head];
  for (const { file, parts, declarations } of modules) {
    const lines = (await readFile(join(SHADERS, `${file}.wgsl`), 'utf8')).split('\n');
    out.push(`// ${file}.wgsl${parts.length ? ` (${parts.join(', ')})` : ''}`);
    if (!file.startsWith('lib/')) out.push(...headOf(lines));
    for (const { line, lines: count } of declarations) {
      let first = line - 1;
      while (isComment(lines[first - 1])) first--;
      out.push(...lines.slice(first, line - 1 + count));
    }
  }
  return out.join('\n');
}
