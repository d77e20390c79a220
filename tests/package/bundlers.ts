import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import webpack from 'webpack';

/** Bundles a script of a folder into `out`, for browsers, as the bundler does by itself; gives all that it warned of. */
export type Bundler = (folder: string, out: string, script: string) => Promise<string[]>;

/** Bundlers that do not know `new Worker(new URL(…))` take the worker's file as an entry beside the app's. */
const entries = (script: string): Record<string, string> => ({
  main: script,
  ...(script === 'worker.js' && { 'worker-host': 'tilewright/worker-host' }),
});

export const bundlers: Record<string, Bundler> = {
  async vite(root, outDir, script) {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const customLogger = { ...vite.createLogger('silent'), warn, warnOnce: warn, error: warn };
    await writeFile(join(root, 'index.html'), `<!doctype html><script type="module" src="/${script}"></script>`);
    await vite.build({
      root,
      configFile: false,
      logLevel: 'warn',
      customLogger,
      build: { outDir, target: 'es2022' },
      worker: { format: 'es' },
    });
    return warnings;
  },

  async webpack(context, path, script) {
    return (await packed({ context, entry: { main: `./${script}` }, output: { path } })).warnings;
  },

  /** What `next build --webpack` (16.4) sets for the browser that a library could notice. Its minifier is another, and has no part in it. */
  async 'webpack as Next.js sets it'(context, out, script) {
    const { warnings, scripts } = await packed({
      context,
      entry: { main: `./${script}` },
      target: ['web', 'es6'],
      output: {
        path: join(out, '_next'),
        publicPath: '/_next/',
        filename: 'static/chunks/[name]-[contenthash].js',
        chunkFilename: 'static/chunks/[name].[contenthash].js',
        hashFunction: 'xxhash64',
        strictModuleExceptionHandling: true,
        trustedTypes: 'nextjs#bundler',
        environment: { asyncFunction: true }, // the app awaits at its top
      },
      optimization: {
        minimize: false,
        runtimeChunk: { name: 'webpack' },
        splitChunks: { chunks: 'all', maxInitialRequests: 25, minSize: 20_000 },
      },
      resolve: { mainFields: ['browser', 'module', 'main'] },
      module: { parser: { javascript: { url: 'relative' } } },
      experiments: { layers: true, cacheUnaffected: true },
    });
    const tags = scripts.map((src) => `<script defer src="/_next/${src}"></script>`);
    await writeFile(join(out, 'index.html'), `<!doctype html>${tags.join('')}`);
    return warnings;
  },

  async esbuild(absWorkingDir, outdir, script) {
    const options: esbuild.BuildOptions = {
      entryPoints: entries(script),
      bundle: true,
      splitting: true,
      format: 'esm',
    };
    const { warnings } = await esbuild.build({ ...options, absWorkingDir, outdir, logLevel: 'silent' });
    return warnings.map(({ text }) => text);
  },

  async rollup(folder, dir, script) {
    const warnings: string[] = [];
    const onwarn = ({ message }: { message: string }): void => void warnings.push(message);
    const input = { ...entries(script), main: join(folder, script) };
    const bundle = await rollup({ input, plugins: [nodeResolve({ rootDir: folder })], onwarn });
    await bundle.write({ dir, format: 'es' });
    await bundle.close();
    return warnings;
  },
};

/** Runs webpack: its warnings, and the scripts that a page begins with. */
async function packed(options: webpack.Configuration): Promise<{ warnings: string[]; scripts: string[] }> {
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    // Its hints on size are for pages as a whole, which this is not.
    webpack({ mode: 'production', performance: false, ...options }, (error, done) =>
      error ? reject(error) : resolve(done),
    );
  });
  const {
    errors = [],
    warnings = [],
    entrypoints,
  } = stats!.toJson({
    all: false,
    errors: true,
    warnings: true,
    entrypoints: true,
  });
  return {
    warnings: [...errors, ...warnings].map(({ message }) => message),
    scripts: (entrypoints?.['main']?.assets ?? []).map(({ name }) => name),
  };
}

/** Bundles an app for Node. */
export async function bundleServer(resolveDir: string, outfile: string): Promise<void> {
  const stdin = {
    contents: "import { Engine } from 'tilewright'; console.log(await Engine.availability());",
    resolveDir,
  };
  await esbuild.build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' });
}
