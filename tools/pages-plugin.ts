import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { LESSONS } from './lessons.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FRAME = 'examples/shared/frame.html';

/** The pages, by the folder of their `index.html`, with their names in the menu. Lessons are reached through *Learn*. */
export const PAGES: readonly { readonly folder: string; readonly menu?: string }[] = [
  { folder: '' },
  { folder: 'examples/classify/', menu: 'Classify' },
  { folder: 'examples/generate/', menu: 'Generate' },
  { folder: 'examples/chat/', menu: 'Chat' },
  { folder: 'examples/text/', menu: 'Read' },
  { folder: 'examples/listen/', menu: 'Listen' },
  { folder: 'examples/open/', menu: 'Open' },
  { folder: 'examples/profile/', menu: 'Profile' },
  { folder: 'examples/learn/', menu: 'Learn' },
  ...LESSONS.map(({ folder }) => ({ folder: `examples/learn/${folder}/` })),
  { folder: 'bench/', menu: 'Bench' },
  { folder: 'bench/results/', menu: 'Results' },
  { folder: 'examples/verify/', menu: 'Verify' },
];

/** The files that Vite builds the pages from. */
export const pageFiles = (): string[] => PAGES.map(({ folder }) => resolve(ROOT, folder, 'index.html'));

/** Marks the menu's entry of a page, or of the pages that it leads to. */
const current = (folder: string, own: string): string =>
  folder === own ? ' aria-current="page"' : own.startsWith(folder) ? ' aria-current="true"' : '';

/**
 * Puts what all pages share around what a page says: `examples/shared/frame.html` has the head, the bar with the menu, and the foot. A page has its
 * title, its description, its own styles and scripts, and `main`. Pages that are not in the list are left as they are.
 */
export const frame = (): Plugin => ({
  name: 'frame',
  transformIndexHtml: {
    order: 'pre',
    async handler(html, { filename }) {
      const own = relative(ROOT, filename)
        .replaceAll('\\', '/')
        .replace(/index\.html$/, '');
      if (!PAGES.some(({ folder }) => folder === own)) return html;
      const root = own ? own.replace(/[^/]+\//g, '../') : './';
      const menu = PAGES.flatMap(({ folder, menu }) =>
        menu ? [`<a href="${root}${folder}index.html"${current(folder, own)}>${menu}</a>`] : [],
      );
      const text = (await readFile(resolve(ROOT, FRAME), 'utf8'))
        .replaceAll('{root}', root)
        .replace('{menu}', menu.join('\n        '));
      const part = (name: string): string => new RegExp(`<${name}>\\n(.*?)  </${name}>`, 's').exec(text)![1]!;
      const [head, [bar, foot]] = [part('head'), part('body').split(/^ *<main><\/main>\n/m) as [string, string]];
      return html
        .replace('<head>\n', () => `<head>\n${head}`)
        .replace('<body>\n', () => `<body>\n${bar}`)
        .replace('  </body>', () => `${foot}  </body>`);
    },
  },
});
