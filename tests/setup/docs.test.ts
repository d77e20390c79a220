import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, plan } from '../../src/graph/plan.ts';
import { GROUPED } from '../../src/ops/groups/names.ts';
import { llms } from '../../tools/docs.mjs';
import { capsOf } from '../support/caps.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src', 'shaders', 'tests', 'tools', 'docs', 'bench', 'examples', 'weights'];

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Files and folders of the repository, by their paths from its root. */
const paths: readonly string[] = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((path) => `${folder}/${path}`.replaceAll('\\', '/')),
  ),
];

/** Whether a path is this, or ends in it, but for endings; `*` stands for anything within a name. */
function isThere(path: string): boolean {
  const pattern = new RegExp(`(^|/)${path.replace(/[.+?]/g, '\\$&').replaceAll('*', '[^/]*')}($|\\.)`);
  return paths.some((known) => pattern.test(known));
}

const DOCS = paths.filter(
  (path) => /^(README|CONTRIBUTING|docs\/.*|weights\/.*README)\.?(md)?$/.test(path) && path.endsWith('.md'),
);
const CODE = paths.filter((path) => /^(src|shaders|bench|examples|tools)\/.*\.(ts|mjs|wgsl)$/.test(path));

/** `src/ops/gather.ts`, `tests/ops`, `slabs.ts`: what a text says of files here. */
const PATHS = new RegExp(
  `(?<![\\w/.-])(?:(?:${FOLDERS.join('|')})/[\\w./*-]*[\\w*]|[\\w./*-]*\\w\\.(?:ts|mjs|wgsl))(?![\\w/])`,
  'g',
);

/** What a text says of files here, each once. */
const mentioned = (text: string): string[] => {
  const named = [...text.matchAll(PATHS)].map(([path]) => path.replace(/^(\.\.?\/)+/, ''));
  return [...new Set(named)].filter(
    (path) => !path.startsWith('node_modules/') && path !== '.d.ts' && !/\b(NAME|GROUP)\b/.test(path),
  );
};

const commentsOf = (text: string): string => (text.match(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*/g) ?? []).join('\n');

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

it.each(DOCS)('%s: the files that it names are there', (doc) => {
  const missing = mentioned(read(doc)).filter((path) => !isThere(path));
  expect(missing).toEqual([]);
});

it.each(DOCS)('%s: its links lead somewhere', (doc) => {
  const broken = [...read(doc).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].filter(([, path = '', anchor]) => {
    const target = path ? join(dirname(join(ROOT, doc)), path) : join(ROOT, doc);
    if (!existsSync(target)) return true;
    const headings = anchor
      ? [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text]) => slug(text!))
      : [];
    return anchor !== undefined && !headings.includes(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

/** What graphs come to by passes alone. */
const OF_PASSES = 'winograd';

it('the guide to graphs names all groups of ops', () => {
  for (const group of Object.keys(GROUPED).filter((name) => name !== OF_PASSES))
    expect(read('docs/guides/own-op.md')).toContain(`\`${group}\``);
});

it('llms.txt is what the documents say', () => {
  expect(read('llms.txt')).toBe(llms(read));
});

it('the files that comments name are there', () => {
  const missing = CODE.flatMap((file) =>
    mentioned(commentsOf(read(file)))
      .filter((path) => !isThere(path))
      .map((path) => `${file}: ${path}`),
  );
  expect(missing).toEqual([]);
});

it('docs/architecture.md has the plan of its example', () => {
  const caps = capsOf({ longKernels: true });
  const b = new GraphBuilder();
  const x = b.input('x', { dataType: 'float32', shape: [1, 3, 32, 32] });
  const w = b.constant({ dataType: 'float32', shape: [8, 3, 3, 3] }, new Float32Array(8 * 27));
  const graph = b.outputs({ y: b.relu(b.conv2d(x, w, { padding: [1, 1, 1, 1], label: 'conv1' })) });
  expect(read('docs/architecture.md')).toContain(formatPlan(plan(optimise(graph, {}, caps), caps)));
});
