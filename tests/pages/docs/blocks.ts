import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { PAGES } from '../../../tools/docs.mjs';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A fenced block of a document. */
export interface Block {
  readonly page: string;
  /** The line of its fence, from 1. */
  readonly line: number;
  /** What stands behind the fence: `ts`, `ts node`, `sh`. */
  readonly kind: string;
  readonly code: string;
}

/** All documents whose blocks count: those of the site and the README of the command. */
export const DOCUMENTS: readonly string[] = ['README.md', 'cli/README.md', ...Object.values(PAGES).flat()];

/** The blocks of a document, in order. */
export function blocksOf(page: string, text = readFileSync(join(ROOT, page), 'utf8')): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; kind: string; code: string[] } | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence && open) {
      blocks.push({ page, line: open.line, kind: open.kind, code: open.code.join('\n') });
      open = undefined;
    } else if (fence) open = { line: i + 1, kind: fence[1]!.trim(), code: [] };
    else open?.code.push(line);
  }
  if (open) throw new Error(`${page}:${open.line}: a block without an end`);
  return blocks;
}

export const allBlocks = (): Block[] => DOCUMENTS.flatMap((page) => blocksOf(page));

/**
 * The blocks of a page as one module. A block goes on where the one above it ended, in a scope inside that one's, so that it may declare the
 * same names again. `ran` is told the line of each block that came to its end.
 * @param names what `given` of given.ts has; nothing in Node
 */
export function moduleOf(blocks: readonly Block[], names: readonly string[] = []): string {
  const imports = new Map<string, Set<string>>();
  const bodies = blocks.map(({ page, line, code }) => {
    const source = ts.createSourceFile(`${page}.ts`, code, ts.ScriptTarget.Latest, true);
    const kept: string[] = [];
    for (const statement of source.statements) {
      if (!ts.isImportDeclaration(statement)) kept.push(statement.getFullText());
      else
        for (const name of namesIn(statement)) add(imports, (statement.moduleSpecifier as ts.StringLiteral).text, name);
    }
    return `// ${page}:${line}\n${kept.join('')}\nran(${line});`;
  });
  const heads = [...imports].map(([from, all]) => `import { ${[...all].join(', ')} } from '${from}';`);
  if (names.length) heads.push("import { given } from './given.ts';");
  return [
    ...heads,
    'export default async function run(ran: (line: number) => void): Promise<void> {',
    ...(names.length ? [`const { ${names.join(', ')} } = await given();`] : []),
    `{\n${bodies.join('\n{\n')}\n${'}'.repeat(bodies.length)}`,
    '}',
  ].join('\n');
}

/** `Engine`, `type Operand`. */
function namesIn({ importClause, moduleSpecifier }: ts.ImportDeclaration): string[] {
  const named = importClause?.namedBindings;
  if (!named || !ts.isNamedImports(named))
    throw new Error(`blocks import by name, from ${moduleSpecifier.getText()} too`);
  const all = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return named.elements.map((element) => (all ? `type ${element.getText()}` : element.getText()));
}

function add(imports: Map<string, Set<string>>, from: string, name: string): void {
  imports.set(from, (imports.get(from) ?? new Set()).add(name));
}

/** What TypeScript says of these files, under the project's own rules; unused names are none of its business. */
export function complaints(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const program = ts.createProgram(files, {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noEmit: true,
  });
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start = 0 }) => {
      const { line } = source.getLineAndCharacterOfPosition(start);
      const lines = source.text.split('\n').slice(0, line + 1);
      const block = lines.findLast((text) => /^\/\/ \S+\.md:\d+$/.test(text)) ?? file;
      return `${block.replace('// ', '')}: ${lines.at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** A module as JavaScript that a browser and Node take. */
export const asJavaScript = (code: string): string =>
  ts
    .transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } })
    .outputText.replace("'./given.ts'", "'./given.js'");
