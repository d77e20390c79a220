import { describe, expect, it } from 'vitest';
import { OPS } from '../../src/ops/index.ts';

const files = import.meta.glob<string>('../../src/graph/**/*.ts', { query: '?raw', import: 'default', eager: true });

/** What the graph knows by name: leaves, which it defines, and the two methods of the builder that WebNN words in its own way. */
const KNOWN: Readonly<Record<string, readonly RegExp[]>> = {
  'ir.ts': [/'(input|constant|state|scratch)'/g],
  'builder.ts': [/opNamed\(approximate === 'tanh' \? 'gelu_tanh' : 'gelu'\)/g, /opNamed\('clamp'\)/g],
};

/** Ways to ask for an op by a name in quotes, or by a part of one. */
const ASKING = [
  /\bop\s*[!=]==?\s*['"`]/,
  /['"`]\s*[!=]==?\s*[\w.!?]*\bop\b/,
  /\bop\.(startsWith|endsWith|includes|match|slice|indexOf)\b/,
  /\.(includes|has|test|get)\([\w.!?]*\bop\)/,
  /\bop\s+in\b/,
  /\[[\w.!?]*\bop\]/,
  /switch\s*\([\w.!?]*\bop\b/,
  /\b(operand|results|add|opNamed|call)\(\s*['"`]/,
];

/** Lines that break the rule, and what is wrong with them. */
function offences(name: string, text: string): string[] {
  const known = KNOWN[name] ?? [];
  const code = known
    .reduce((rest, pattern) => rest.replace(pattern, ''), text)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/\/\/.*/g, '');
  const quoted = new RegExp(`(case\\s+|[!=]==?\\s*|\\bop: )['"\`](${[...OPS.keys()].join('|')})['"\`]`);
  const patterns = [...ASKING, quoted];
  // A call may be broken over lines.
  const found = patterns.flatMap((pattern) =>
    [...code.matchAll(new RegExp(pattern, 'g'))].map(({ index, 0: match }) => {
      const line = code.slice(0, index).split('\n').length;
      return `${name}:${line}: ${match.replace(/\s+/g, ' ')}`;
    }),
  );
  return found.sort();
}

describe('no name of an op is compared in src/graph: passes and planner ask definitions', () => {
  const nameOf = (path: string): string => path.replace('../../src/graph/', '');

  it('in any of its files', () => {
    expect(Object.keys(files).length).toBeGreaterThan(20);
    expect(Object.entries(files).flatMap(([path, text]) => offences(nameOf(path), text))).toEqual([]);
  });

  it.each([
    "if (node.op === 'relu') return;",
    "if ('relu' !== node.op) return;",
    "const isRelu = ({ op }) => op === 'relu';",
    "if (op.startsWith('reduce')) return;",
    "if (['add', 'mul'].includes(node.op)) return;",
    'if (TABLE.has(input!.op)) return;',
    'if (node.op in TABLE) return;',
    'const found = TABLE[node.op];',
    'switch (node.op) {',
    "case 'conv2d':",
    "const { op: kind } = node; if (kind === 'transpose') return;",
    "operand(\n  'transpose',\n  { input })",
    "rewriter.add('reshape', { input })",
    "opNamed('reshape')",
    "if (kind === 'input') return;".replace('kind', 'node.op'),
  ])('this would be found: %s', (line) => {
    expect(offences('passes/some.ts', line)).not.toEqual([]);
  });

  it.each([
    'if (transpose.is(node)) return;',
    'operand(transpose.name, { input })',
    'opNamed(node.op).elementwise',
    "node.inputs['input']",
    "// op === 'relu'",
    "dataType === 'float16'",
  ])('this is fine: %s', (line) => {
    expect(offences('passes/some.ts', line)).toEqual([]);
  });
});
