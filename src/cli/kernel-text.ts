import { readFile } from 'node:fs/promises';
import { type Linked, moduleName, type Piece } from '../gpu/wgsl.ts';

/** Where a kernel's text came from, as plain JSON: what crosses from a page. */
export interface KernelPieces {
  /** Directives, named constants and uniforms. */
  readonly head: readonly string[];
  /** A file and its chosen parts, and the declarations of it that are linked, the kernel's first. */
  readonly modules: readonly {
    readonly file: string;
    readonly parts: readonly string[];
    readonly declarations: readonly { readonly line: number; readonly lines: number }[];
  }[];
}

/** What `linked` is made of. */
export function piecesOf({ code, pieces }: Linked): KernelPieces {
  const modules = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = moduleName(piece.module);
    modules.set(key, [...(modules.get(key) ?? []), piece]);
  }
  return {
    head: code.split('\n').slice(0, pieces[0]!.first - 1),
    modules: [...modules.values()].map((own) => ({
      file: own[0]!.module.name,
      parts: own[0]!.module.chosen ?? [],
      declarations: own.map(({ line, lines }) => ({ line, lines })),
    })),
  };
}

/** The shaders as they are written: they are shipped beside what is built. */
const SHADERS = new URL('../../shaders/', import.meta.url);

const isComment = (line: string | undefined): boolean => line !== undefined && /^\/\/(?!#)/.test(line);

/**
 * A linked kernel for people: the lines of the files, so with their comments, each file under its name. A comment belongs to the declaration
 * below it; what stands at the top of the kernel's file is about all of it.
 */
export async function kernelText(
  { head, modules }: KernelPieces,
  read = (file: string): Promise<string> => readFile(new URL(file, SHADERS), 'utf8'),
): Promise<string> {
  const out = [...head];
  for (const { file, parts, declarations } of modules) {
    const lines = (await read(`${file}.wgsl`)).split('\n');
    out.push(`// ${file}.wgsl${parts.length ? ` (${parts.join(', ')})` : ''}`);
    if (!file.startsWith('lib/'))
      out.push(
        ...lines.slice(
          0,
          lines.findIndex((line) => !isComment(line)),
        ),
      );
    for (const { line, lines: count } of declarations) {
      let first = line - 1;
      while (isComment(lines[first - 1])) first--;
      out.push(...lines.slice(first, line - 1 + count));
    }
  }
  return out.join('\n');
}
