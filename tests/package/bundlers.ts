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
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      // Its hints on size are for pages as a whole, which this is not.
      const options: webpack.Configuration = {
        context,
        entry: { main: `./${script}` },
        output: { path },
        mode: 'production',
        performance: false,
      };
      webpack(options, (error, done) => (error ? reject(error) : resolve(done)));
    });
    const { errors = [], warnings = [] } = stats!.toJson({ all: false, errors: true, warnings: true });
    return [...errors, ...warnings].map(({ message }) => message);
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

/** Bundles an app for Node. */
export async function bundleServer(resolveDir: string, outfile: string): Promise<void> {
  const stdin = {
    contents: "import { Engine } from 'tilewright'; console.log(await Engine.availability());",
    resolveDir,
  };
  await esbuild.build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' });
}
