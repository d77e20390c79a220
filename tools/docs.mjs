// npm run docs: the guides, docs/ and the API reference as one static site in dist/docs, with a search that needs no server.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The documents as TypeDoc reads them: with front matter, which the repository's own readers would see as a table. */
const STAGE = join(ROOT, '.cache/docs');
const SITE = join(ROOT, 'dist/docs');

/** The pages of the site beside the API, by the heading of the menu that they stand under, in order. @type {Record<string, readonly string[]>} */
export const PAGES = {
  Guides: [
    'docs/guides/embed.md',
    'docs/guides/workers.md',
    'docs/guides/own-model.md',
    'docs/guides/chat.md',
    'docs/guides/texts.md',
    'docs/guides/speech.md',
    'docs/guides/load.md',
    'docs/guides/search.md',
    'docs/guides/onnx.md',
    'docs/guides/webnn.md',
    'docs/guides/own-op.md',
    'docs/guides/cameras.md',
    'docs/guides/lost-devices.md',
    'docs/quantisation.md',
    'docs/guides/profile.md',
    'docs/guides/bench.md',
    'docs/guides/browsers.md',
    'docs/errors.md',
  ],
  'How it works': [
    'docs/architecture.md',
    'docs/performance.md',
    'docs/verify.md',
    'docs/parity.md',
    'CONTRIBUTING.md',
  ],
  'What is here': [
    'CHANGELOG.md',
    'weights/resnet20-cifar10/README.md',
    'weights/gpt-shakespeare/README.md',
    'weights/llama-shakespeare/README.md',
  ],
};

/** A page's title and what follows it. @param {string} text Markdown @returns {{ title: string, body: string }} */
export function titleOf(text) {
  const [line = ''] = text.split('\n');
  if (!line.startsWith('# ')) throw new Error(`a page begins with its title, not with '${line}'`);
  return { title: line.slice(2), body: text.slice(line.length).trimStart() };
}

/**
 * A page's text for the site: what it links to and the site has not (sources, folders) is named without a link.
 * @param {string} path from the repository's root
 * @param {string} body Markdown
 */
export function linked(path, body) {
  const pages = new Set(['README.md', ...Object.values(PAGES).flat()]);
  return body.replace(/(?<!!)\[((?:[^\][]|\[[^\]]*\])*)\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g, (link, text, target) => {
    const file = join(dirname(path), target).replaceAll('\\', '/');
    return pages.has(file) ? link : text;
  });
}

/** llms.txt (llmstxt.org): the title, the summary and the pages as Markdown. @param {(path: string) => string} read */
export function llms(read) {
  const first = titleOf(read('README.md'));
  const lines = [`# ${first.title}`, '', `> ${paragraph(first.body)}`];
  for (const [heading, paths] of Object.entries(PAGES)) {
    lines.push('', `## ${heading === 'Guides' ? heading : heading === 'How it works' ? heading : 'Optional'}`, '');
    for (const path of paths) {
      const { title, body } = titleOf(read(path));
      lines.push(`- [${title}](${path}): ${paragraph(body).replace(/(?<=[.?]) .*/, '')}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The first paragraph that is text, in one line, without links. @param {string} body Markdown */
const paragraph = (body) =>
  (body.split(/\n{2,}/).find((text) => /^([A-Z]|`(?!``))/.test(text)) ?? '')
    .replace(/\s+/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');

/** @param {string} path from the repository's root */
const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** Builds the site, and llms.txt where the documents say something else by now. @throws {Error} for a broken link, an undocumented public name, or what else TypeDoc warns of */
export async function buildDocs() {
  const index = llms(read);
  if (index !== read('llms.txt')) writeFileSync(join(ROOT, 'llms.txt'), index);
  rmSync(STAGE, { recursive: true, force: true });
  for (const [group, paths] of Object.entries(PAGES)) {
    for (const path of paths) {
      const { title, body } = titleOf(read(path));
      stage(path, `---\ntitle: ${JSON.stringify(title)}\ngroup: ${group}\n---\n\n${linked(path, body)}`);
    }
  }
  stage('README.md', linked('README.md', titleOf(read('README.md')).body));
  cpSync(join(ROOT, 'docs/site'), join(STAGE, 'docs/site'), { recursive: true });

  const typedoc = await import('typedoc');
  const { Application, Converter, PageEvent } = typedoc;
  inlineOps(typedoc);
  const app = await Application.bootstrap({
    name: 'Tilewright',
    tsconfig: join(ROOT, 'tsconfig.json'),
    entryPoints: [
      'src/index.ts',
      'src/hub/cache/index.ts',
      'src/webnn/ml.ts',
      'src/openai/index.ts',
      'src/prompt/index.ts',
    ].map((path) => join(ROOT, path)),
    readme: join(STAGE, 'README.md'),
    projectDocuments: Object.values(PAGES)
      .flat()
      .map((path) => join(STAGE, path)),
    ...JSON.parse(read('docs/site/typedoc.json')),
    favicon: join(ROOT, 'docs/site/favicon.svg'),
    customCss: join(ROOT, 'docs/site/style.css'),
    customJs: join(ROOT, 'docs/site/accessible.js'),
    out: SITE,
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    listNames(typedoc, context);
    describeOps(typedoc, context);
  });
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = accessible(page.contents ?? '');
  });
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateOutputs(project);
  }
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('The docs could not be built, see above.');
  for (const path of ['README.md', ...Object.values(PAGES).flat()]) {
    mkdirSync(dirname(join(SITE, path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(SITE, path));
  }
  cpSync(join(ROOT, 'docs/site'), join(SITE, 'docs/site'), { recursive: true });
  copyFileSync(join(ROOT, 'llms.txt'), join(SITE, 'llms.txt'));
}

/**
 * A page for who hears it or has no mouse: landmarks, headings without a gap, wide tables that the keyboard scrolls, no link within what
 * opens and closes.
 * @param {string} html as the theme writes it
 */
const accessible = (html) =>
  withoutGaps(html)
    .replace('<div class="col-content"', '<div role="main" class="col-content"')
    .replace('<div class="col-sidebar"', '<div role="complementary" class="col-sidebar"')
    .replaceAll('<table>', '<table tabindex="0">')
    .replace(/(<summary class="tsd-accordion-summary"(?:(?!<\/summary>).)*?)<a [^>]*tsd-anchor-icon.*?<\/a>/gs, '$1');

/** Headings of which none is more than a level below the one that it stands under. @param {string} html */
function withoutGaps(html) {
  /** Levels of the headings that this one stands under: as they were, and as they are. @type {{ was: number, is: number }[]} */
  const above = [];
  return html.replace(/<(\/?)h([1-6])(?=[ >])/g, (_, end, level) => {
    const was = Number(level);
    if (!end) {
      while ((above.at(-1)?.was ?? 0) >= was) above.pop();
      above.push({ was, is: (above.at(-1)?.is ?? 0) + 1 });
    }
    return `<${end}h${above.at(-1)?.is}`;
  });
}

/** @param {string} path from the repository's root @param {string} text */
function stage(path, text) {
  mkdirSync(dirname(join(STAGE, path)), { recursive: true });
  writeFileSync(join(STAGE, path), text);
}

/** @typedef {typeof import('typedoc')} TypeDoc */
/** @typedef {import('typedoc').Context} Context */

/** Shows the types of ops and of their options, which no entry exports, as what they are, in the place where they are used. @param {TypeDoc} typedoc */
function inlineOps({ Context }) {
  /** @type {{ shouldInline(symbol: import('typescript').Symbol, name: string): boolean }} */
  const prototype = /** @type {any} */ (Context.prototype);
  const asked = prototype.shouldInline;
  prototype.shouldInline = function (symbol, name) {
    const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? '';
    return asked.call(this, symbol, name) || (/\/src\/(ops|webnn)\//.test(file) && !/^(ML|Operand$)/.test(name));
  };
}

/** Shows a type that is made of a list in the code (`ErrorCode`) as its names. @param {TypeDoc} typedoc @param {Context} context */
function listNames({ LiteralType, ReflectionKind, UnionType }, context) {
  for (const alias of context.project.getReflectionsByKind(ReflectionKind.TypeAlias)) {
    const symbol = context.getSymbolFromReflection(alias);
    const type = symbol && context.programs[0]?.getTypeChecker().getDeclaredTypeOfSymbol(symbol);
    if (!type?.isUnion() || !type.types.every((each) => each.isStringLiteral())) continue;
    const names = type.types.map(
      (each) => new LiteralType(/** @type {import('typescript').StringLiteralType} */ (each).value),
    );
    /** @type {import('typedoc').DeclarationReflection} */ (alias).type = new UnionType(names);
  }
}

/** Says of an op's method, which comes from its definition, whose op it is and which group has it. @param {TypeDoc} typedoc @param {Context} context */
function describeOps({ Comment, ReflectionKind }, context) {
  const groups = new Map(
    [...read('src/ops/groups/names.ts').matchAll(/^ {2}(\w+): '([^']*)'/gm)].flatMap(([, group, ops = '']) =>
      ops.split(' ').map((op) => [op, group]),
    ),
  );
  const classes = context.project.getReflectionsByKind(ReflectionKind.Class);
  const [ours, standard] = ['GraphBuilder', 'MLGraphBuilder'].map(
    (name) => /** @type {import('typedoc').DeclarationReflection} */ (classes.find((each) => each.name === name)),
  );
  for (const builder of [ours, standard]) {
    for (const op of builder?.children ?? []) {
      const described = op.signatures ?? [op];
      if (op.kindOf(ReflectionKind.Constructor) || described.every((each) => each.hasComment())) continue;
      const whose = standard?.getChildByName([op.name]) ? "WebNN's" : "ONNX's";
      const group = builder === ours ? groups.get(op.name) : undefined;
      const text = `The op is ${whose} \`${op.name}\`${group ? `, of the group \`${group}\`: \`engine.loadOps('${group}')\`` : ''}.`;
      for (const each of described) each.comment ??= new Comment([{ kind: 'text', text }]);
    }
  }
}
