import { expect, it } from 'vitest';
import type { Op } from '../../src/ops/define.ts';

const modules = import.meta.glob<Record<string, object>>(['../../src/ops/groups/*.ts', '!**/{core,names}.ts'], {
  eager: true,
});

it('names.ts lists the ops of the groups that load when asked for: written by this test, with `vitest -u`', async () => {
  const lines = Object.entries(modules).map(([path, module]) => {
    const definitions = Object.values(module).flatMap((value) =>
      'infer' in value ? value : Object.values(value),
    ) as Op[];
    return `  ${path.match(/(\w+)\.ts$/)![1]}: '${definitions.map(({ name }) => name).join(' ')}',`;
  });
  const text = [
    '// biome-ignore-all format: written by tests/ops/groups.test.ts.',
    'export const GROUPED: Readonly<Record<string, string>> = {',
    ...lines,
    '};',
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../src/ops/groups/names.ts');
});
