import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import webpack from 'webpack';

/** Bundles `main.js` of a folder into `dist/NAME`, for browsers, as the bundler does by itself; gives all that it warned of. */
export type Bundler = (folder: string, out: string) => Promise<string[]>;

export const bundlers: Record<string, Bundler> = {
  async vite(root, outDir) {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const customLogger = { ...vite.createLogger('silent'), warn, warnOnce: warn, error: warn };
    await writeFile(join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
    await vite.build({ root, configFile: false, logLevel: 'warn', customLogger, build: { outDir, target: 'es2022' } });
    return warnings;
  },

  async webpack(context, path) {
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      // Its hints on size are for pages as a whole, which this is not.
      const options: webpack.Configuration = {
        context,
        entry: './main.js',
        output: { path },
        mode: 'production',
        performance: false,
      };
      webpack(options, (error, done) => (error ? reject(error) : resolve(done)));
    });
    const { errors = [], warnings = [] } = stats!.toJson({ all: false, errors: true, warnings: true });
    return [...errors, ...warnings].map(({ message }) => message);
  },

  async esbuild(absWorkingDir, outdir) {
    const options: esbuild.BuildOptions = { entryPoints: ['main.js'], bundle: true, splitting: true, format: 'esm' };
    const { warnings } = await esbuild.build({ ...options, absWorkingDir, outdir, logLevel: 'silent' });
    return warnings.map(({ text }) => text);
  },

  async rollup(folder, dir) {
    const warnings: string[] = [];
    const onwarn = ({ message }: { message: string }): void => void warnings.push(message);
    const bundle = await rollup({ input: join(folder, 'main.js'), plugins: [nodeResolve()], onwarn });
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
