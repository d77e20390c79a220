import { expect, it } from 'vitest';
import type { Op } from '../../src/ops/define.ts';

const modules = import.meta.glob<Record<string, object>>(['../../src/ops/groups/*.ts', '!**/{core,names}.ts'], {
  eager: true,
});

it('names.ts lists the ops of the groups that load when asked for: written by this test, with `vitest -u`', async () => {
  const lines = Object.entries(modules).flatMap(([path, module]) => {
    const group = path.match(/(\w+)\.ts$/)![1]!;
    const definitions = Object.values(module).flatMap((value) =>
      'infer' in value ? value : Object.values(value),
    ) as Op[];
    return definitions.map(({ name }) => `  ${name}: '${group}',`);
  });
  const text = `// Written by tests/ops/groups.test.ts.\nexport const GROUP_OF: Readonly<Record<string, string>> = {\n${lines.join('\n')}\n};\n`;
  await expect(text).toMatchFileSnapshot('../../src/ops/groups/names.ts');
});
