import type { Plugin } from 'vite';

/** An import of nothing, which the bundler leaves for the order of files that have no effects. Bundlers of apps warn of it. */
const BARE = /\bimport"\.\/[\w-]+\.js";?/g;
/** What says that a table is dropped where nobody uses it. Each part is taken whole. */
const PURE = '/* @__PURE__ */ ';
/** The file that has the table of parts. */
const TABLE = 'loaded.js';
/** A part that loads when it is used, as the minifier leaves it. */
const LATER = /\bimport\(`\.\/([\w-]+)\.js`\)/g;

/**
 * Lets one entry have all parts of a library at once, which the others import when they are used. Each `import()` first asks `loaded.js`
 * for its part; the entry `single` imports all parts, puts them there, and so runs where `import()` is not allowed. No code is there twice.
 */
export const parts = (single: string): Plugin => ({
  name: 'parts',
  apply: 'build',
  generateBundle(_, bundle) {
    if (TABLE in bundle) this.error(`${TABLE} is a part already`);
    const names = new Set<string>();
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      const code = file.code
        .replace(BARE, '')
        .replaceAll(PURE, '')
        .replace(LATER, (importing, name: string) => {
          names.add(name);
          return `(__parts[\`${name}\`]??${importing})`;
        });
      if (/\bimport\(/.test(code.replace(LATER, ''))) this.error(`${file.fileName} imports something that is no part`);
      file.code = code.includes('__parts') ? `import{parts as __parts}from"./${TABLE}";${code}` : code;
    }
    const list = [...names].sort();
    const imports = list.map((name, i) => `import*as p${i} from"./${name}.js";`).join('');
    const entries = list.map((name, i) => `"${name}":p${i}`).join();
    const { code } = bundle[single] as { code: string };
    (bundle[single] as { code: string }).code =
      `import{parts}from"./${TABLE}";${imports}for(const[name,part]of Object.entries({${entries}}))parts[name]=Promise.resolve(part);${code}`;
    this.emitFile({ type: 'asset', fileName: TABLE, source: 'export const parts={};' });
  },
});

/**
 * Writes out the address of a file that lies beside the built one and is an entry of its own. Before this, Vite does not see a worker there, which it
 * would bundle once more, whole.
 */
export const beside = (module: string, name: string, file: string): Plugin => ({
  name: 'beside',
  apply: 'build',
  enforce: 'post',
  transform(code, id) {
    if (!id.endsWith(module)) return null;
    return code.replaceAll(`new URL(${name}, import.meta.url)`, `new URL("${file}", import.meta.url)`);
  },
});
