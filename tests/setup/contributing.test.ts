import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

it("CONTRIBUTING's example of an op is what the files say: four, and one line of a group", () => {
  const diff = read('CONTRIBUTING.md').match(/```diff\n([\s\S]*?)```/)![1]!;
  const files = diff.split(/^\+\+\+ /m).slice(1);
  expect(files.map((file) => file.split('\n')[0])).toEqual([
    'src/ops/groups/select.ts',
    'src/ops/gather_nd.ts',
    'shaders/gather_nd.wgsl',
    'src/verify/reference/gather_nd.ts',
    'src/verify/cases/gather_nd.ts',
  ]);
  for (const file of files) {
    const [path, ...lines] = file.trimEnd().split('\n');
    const there = read(path!).split('\n');
    expect(lines.map((line) => line.slice(1)).filter((line) => !there.includes(line))).toEqual([]);
  }
  expect(files[0]!.match(/^\+/gm)).toHaveLength(1);
});
