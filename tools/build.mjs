import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDocs } from './docs.mjs';
import { secondsSince } from './system.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STAMP = join(ROOT, 'dist/.stamp');
/** Declarations file by file, before they are joined. */
const TYPES = join(ROOT, '.cache/types');

/** What a build is made from. Folders count too: a file that was deleted is a change. */
const SOURCES = [
  'src',
  'shaders',
  'bench',
  'examples',
  'weights',
  'tools',
  'index.html',
  'vite.config.ts',
  'tsconfig.json',
  'package.json',
  'cli/package.json',
];

/** What the docs are made from beside these. */
const TEXTS = ['docs', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'llms.txt'];

/** @typedef {'lib' | 'cli' | 'host' | 'pages' | 'docs'} Part */

/** What each part is told by when it is there. @type {Record<Part, string>} */
const RESULT = {
  lib: 'dist/lib/index.js',
  cli: 'cli/dist/command/main.js',
  host: 'cli/dist/host/src/cli/host.html',
  pages: 'dist/pages/index.html',
  docs: 'dist/docs/index.html',
};

/**
 * Builds what is older than its sources: the library with its types, the command, the page that it drives, the pages, the docs. Says so in one line, and
 * nothing where there is nothing to do.
 * @param {{ only?: Part[], force?: boolean, log?: (line: string) => void }} [options]
 * @throws {Error} when a part cannot be built
 */
export async function build({
  only = ['lib', 'cli', 'host', 'pages', 'docs'],
  force = false,
  log = console.error,
} = {}) {
  const stamps = readStamps();
  const [code, texts] = [SOURCES, TEXTS].map((paths) => newest(paths.map((path) => join(ROOT, path))));
  const changed = (/** @type {Part} */ part) => Math.max(code ?? 0, (part === 'docs' && texts) || 0);
  const stale = only.filter(
    (part) => force || !existsSync(join(ROOT, RESULT[part])) || !((stamps[part] ?? 0) > changed(part)),
  );
  if (!stale.length) return;
  const started = Date.now();
  const { build: viteBuild } = await import('vite');
  for (const part of stale) {
    const begun = Date.now(); // what changes while it builds is built the next time
    if (part === 'docs') await buildDocs();
    else await viteBuild({ root: ROOT, mode: part, logLevel: 'error' });
    if (part === 'lib') await emitTypes();
    writeStamps({ ...readStamps(), [part]: begun });
  }
  log(`Built ${stale.join(', ')} in ${secondsSince(started)}.`);
}

/** The library's declarations, in one file an entry and one that both share: what no entry comes to is left out. */
async function emitTypes() {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const emission = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: TYPES,
    rootDir: join(ROOT, 'src'),
  };
  const entries = [
    'index.ts',
    'webnn/ml.ts',
    'openai/index.ts',
    'prompt/index.ts',
    'worker/index.ts',
    'worker/host.ts',
    'hub/cache/index.ts',
    'wgsl.d.ts',
  ];
  const files = entries.map((file) => join(ROOT, 'src', file));
  const write = (/** @type {string} */ file, /** @type {string} */ text) =>
    ts.sys.writeFile(file, portable(file, text));
  const { diagnostics } = ts.createProgram(files, { ...options, ...emission }).emit(undefined, write);
  if (diagnostics.length) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)));
  copyFileSync(join(ROOT, 'src/webgpu.d.ts'), join(TYPES, 'webgpu.d.ts'));

  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({
    input: {
      index: join(TYPES, 'index.d.ts'),
      webnn: join(TYPES, 'webnn/ml.d.ts'),
      openai: join(TYPES, 'openai/index.d.ts'),
      prompt: join(TYPES, 'prompt/index.d.ts'),
      worker: join(TYPES, 'worker/index.d.ts'),
      'worker-host': join(TYPES, 'worker/host.d.ts'),
      cache: join(TYPES, 'hub/cache/index.d.ts'),
    },
    plugins: [dts()],
    onwarn: ({ message }) => {
      if (!/private shared type|empty chunk/.test(message)) throw new Error(message);
    },
  });
  const banner = '/// <reference lib="esnext.disposable" />';
  const names = { entryFileNames: '[name].d.ts', chunkFileNames: 'types.d.ts' };
  const { output } = await bundle.generate({ format: 'es', banner, ...names });
  await bundle.close();
  const exported = new Set(output.flatMap((file) => (file.type === 'chunk' && file.isEntry ? file.exports : [])));
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    const code = file.name === 'worker' ? likeIndex(file.code) : file.code;
    const narrow = withoutInnerDocs(ts, code, exported).replace(/^( {4})+/gm, (indent) =>
      '\t'.repeat(indent.length / 4),
    ); // the package has a limit
    writeFileSync(join(ROOT, 'dist/lib', file.fileName), narrow);
  }
}

/**
 * Declarations without the comments of those that no entry exports and nobody fills in, such as the planner's: the package has a limit.
 * @param {typeof import('typescript')} ts @param {string} code @param {ReadonlySet<string>} exported
 */
function withoutInnerDocs(ts, code, exported) {
  const { statements } = ts.createSourceFile('types.d.ts', code, ts.ScriptTarget.Latest, true);
  const nameOf = (/** @type {import('typescript').Statement} */ statement) =>
    (ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement)) &&
    statement.name?.text;
  return statements.reduceRight((text, statement) => {
    const name = nameOf(statement);
    if (!name || exported.has(name) || /Options$|^(Loaded|Resource|Tokenizer)/.test(name)) return text;
    const [start, end] = [statement.getFullStart(), statement.getEnd()];
    return text.slice(0, start) + text.slice(start, end).replace(/\n *\/\*\*[\s\S]*?\*\//g, '') + text.slice(end);
  }, code);
}

/** The worker's entry has all types of the main one, but of its values only these. @param {string} code */
const likeIndex = (code) =>
  `${code.replace(/^export \{[^}]*\} from '.\/types\d*\.js';\n/gm, '')}
export type * from './index.js';
export { ERROR_CODES, TilewrightError } from './index.js';
`;

/**
 * A declaration file as every TypeScript from 5.4 on takes it, whatever of WebGPU the app's own knows: the names of WebGPU come
 * from webgpu.d.ts, and arrays have no type of buffer (5.7).
 * @param {string} file
 * @param {string} text
 */
function portable(file, text) {
  const names = [...new Set(text.match(/\bGPU[A-Z]\w+/g))].sort().join(', ');
  const path = relative(dirname(file), join(TYPES, 'webgpu.d.ts')).replaceAll('\\', '/');
  const from = path.startsWith('.') ? path : `./${path}`;
  return [names && `import type { ${names} } from '${from}';\n`, text.replace(/\b(\w+Array)<ArrayBuffer>/g, '$1')].join(
    '',
  );
}

/** @returns {Partial<Record<Part, number>>} when each part was built, in milliseconds */
function readStamps() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return {};
  }
}

/** @param {Partial<Record<Part, number>>} stamps */
function writeStamps(stamps) {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, `${JSON.stringify(stamps)}\n`);
}

/** When anything among these was changed last, in milliseconds. @param {string[]} paths @returns {number} */
function newest(paths) {
  return paths.filter(existsSync).reduce((latest, path) => {
    const stats = statSync(path);
    const inside = stats.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : 0;
    return Math.max(latest, stats.mtimeMs, inside);
  }, 0);
}

// npm run build, npm run docs: all parts, or those that are named.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ensurePackages } = await import('./setup.mjs');
  await ensurePackages();
  const parts = /** @type {Part[]} */ (Object.keys(RESULT));
  const named = parts.filter((part) => process.argv.includes(part));
  await build({ only: named.length ? named : parts, force: process.argv.includes('--force') });
}
