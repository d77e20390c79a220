import { expect, it } from 'vitest';
import { link } from '../../src/gpu/wgsl.ts';
import { PICTURE_FORMS, pictureCandidates } from '../../src/ops/picture.ts';
import { compileOn } from '../../tools/gpu-compiler/compiler.mjs';

const WORK = {
  size: [224, 224],
  rows: { first: 0, count: 480 },
  stride: 640,
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;

it.each(['tgl', 'navi31'] as const)('on %s no kernel for pictures keeps a register in memory', async (gpu) => {
  const all = [
    ...PICTURE_FORMS.flatMap((form) => pictureCandidates(form, 'float32', WORK)),
    ...pictureCandidates('bytes', 'float16', WORK),
  ];
  const codes = new Map(all.map(({ label, variant }) => [label, link(variant).code]));
  const rows = await compileOn(
    gpu,
    [...codes].map(([name, code]) => ({ name, code })),
  );
  expect(rows.map(({ name }) => name).sort()).toEqual([...codes.keys()].sort());
  expect(rows.filter(({ spills }) => spills > 0)).toEqual([]);
});
