import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';

const library = fileURLToPath(new URL('../../dist/lib/index.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => build({ only: ['lib'], log: () => {} }), 120_000);

/** What TypeScript says of a program that uses the library as it is built. */
function diagnose(program: string, moduleResolution: ts.ModuleResolutionKind, module: ts.ModuleKind): string[] {
  const file = join(folder, 'program.mts');
  writeFileSync(file, `import { Engine } from ${JSON.stringify(library)};\n${program}`);
  const target = ts.ScriptTarget.ES2022;
  const options = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
    target,
    module,
    moduleResolution,
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

it.each([
  ['a bundler', ts.ModuleResolutionKind.Bundler, ts.ModuleKind.ESNext],
  ['Node', ts.ModuleResolutionKind.NodeNext, ts.ModuleKind.NodeNext],
])('the built library has types that resolve for %s', { timeout: 60_000 }, (_, resolution, module) => {
  const right = `
    const model = await (await Engine.create()).load('weights', { dtype: 'int8' });
    const answer: string = model.task === 'image-classification' ? model.labels[0]! : String(model.context);
    void answer;`;
  expect(diagnose(right, resolution, module)).toEqual([]);
  expect(diagnose('const n: number = Engine.create();', resolution, module)).toEqual([
    "Type 'Promise<Engine>' is not assignable to type 'number'.",
  ]);
});
