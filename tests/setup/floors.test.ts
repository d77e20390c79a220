import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

let house: string;

beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), 'tilewright-'));
  cpSync(join(ROOT, '.dependency-cruiser.cjs'), join(house, '.dependency-cruiser.cjs'));
});
afterEach(() => rmSync(house, { recursive: true }));

/** The violations in a house of these files, as `rule: from -> to`. */
async function violations(files: Record<string, string>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  }
  const args = [CRUISE, '--config', '.dependency-cruiser.cjs', '-T', 'json', 'src'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: house }, (_, stdout) => resolve(stdout));
  });
  const { summary } = JSON.parse(output) as {
    summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] };
  };
  expect(summary.totalCruised).toBeGreaterThan(0);
  return summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`).sort();
}

interface Config {
  readonly forbidden: readonly { name: string; severity: string; from: object; to: { circular?: boolean } }[];
  readonly options: { readonly exclude?: unknown; readonly includeOnly?: unknown };
}

const none = 'export {};';

it('lets imports point down, types and WGSL included', { timeout: 30_000 }, async () => {
  expect(
    await violations({
      'src/errors.ts': none,
      'src/tensor/t.ts': "import '../errors.ts';",
      'src/gpu/g.ts': "import '../tensor/t.ts'; import shader from '../../shaders/s.wgsl'; export { shader };",
      'src/ops/o.ts': "import type {} from '../gpu/g.ts'; import '../../shaders/s.wgsl';",
      'src/hub/h.ts': "export const later = () => import('../ops/o.ts');",
      'src/text/t.ts': "import '../hub/h.ts';",
      'src/engine.ts': "import './text/t.ts';",
      'src/index.ts': "export * from './engine.ts';",
      'shaders/s.wgsl': '',
    }),
  ).toEqual([]);
});

it('catches what points up, sideways, round in circles, to shaders or to no floor', { timeout: 30_000 }, async () => {
  expect(
    await violations({
      'src/errors.ts': none,
      'src/graph/g.ts': none,
      'src/gpu/up.ts': "import type {} from '../graph/g.ts';",
      'src/gpu/g.ts': none,
      'src/tensor/side.ts': "import '../gpu/g.ts';",
      'src/models/m.ts': "import '../../shaders/s.wgsl';",
      'src/ops/later.ts': "export const later = () => import('../models/m.ts');",
      'src/ops/a.ts': "import './b.ts';",
      'src/ops/b.ts': "import type {} from './a.ts';",
      'src/text/a.ts': "import '../hub/a.ts';",
      'src/text/b.ts': none,
      'src/hub/a.ts': none,
      'src/hub/b.ts': "import '../text/b.ts';",
      'src/attic/a.ts': "import '../errors.ts';",
      'src/runtime/r.ts': "import './none.ts';",
      'shaders/s.wgsl': '',
    }),
  ).toEqual([
    'floor of src/gpu: src/gpu/up.ts -> src/graph/g.ts',
    'floor of src/hub: src/hub/b.ts -> src/text/b.ts',
    'floor of src/ops: src/ops/later.ts -> src/models/m.ts',
    'floor of src/tensor: src/tensor/side.ts -> src/gpu/g.ts',
    'no-circle: src/ops/a.ts -> src/ops/b.ts',
    'on-no-floor: src/attic/a.ts -> src/errors.ts',
    'shaders-for-ops-and-gpu: src/models/m.ts -> shaders/s.wgsl',
    'unresolvable: src/runtime/r.ts -> ./none.ts',
  ]);
});

it('permits no circle: nothing is excepted', () => {
  const config = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as Config;
  const { options, ...rules } = config;
  expect(Object.keys(rules)).toEqual(['forbidden']); // nothing is allowed that is forbidden
  expect(rules.forbidden.filter(({ to }) => to.circular !== undefined)).toEqual([
    expect.objectContaining({ severity: 'error', from: {}, to: { circular: true } }),
  ]);
  expect(options.exclude ?? options.includeOnly).toBeUndefined();
  expect(new Set(rules.forbidden.map(({ severity }) => severity))).toEqual(new Set(['error']));
});

it.each([
  ['two files', { 'src/ops/a.ts': "import './b.ts';", 'src/ops/b.ts': "import './a.ts';" }],
  ['types', { 'src/graph/a.ts': "import type {} from './b.ts';", 'src/graph/b.ts': "import type {} from './a.ts';" }],
  [
    'three files',
    {
      'src/gpu/a.ts': "import './b.ts';",
      'src/gpu/b.ts': "import './c.ts';",
      'src/gpu/c.ts': "export const later = () => import('./a.ts');",
    },
  ],
  ['two floors', { 'src/runtime/a.ts': "import '../tune/a.ts';", 'src/tune/a.ts': "import '../runtime/a.ts';" }],
])('a circle of %s is an error', { timeout: 30_000 }, async (_, files) => {
  expect(await violations(files)).toContainEqual(expect.stringMatching(/^no-circle: /));
});
