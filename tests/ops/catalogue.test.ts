import { describe, expect, it } from 'vitest';
import { link, type ParamValues, type Uniform, type WgslFile, writeParams } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';
import { OPS } from '../../src/ops/index.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { REFERENCES } from '../../src/verify/reference/index.ts';
import { candidateKey, cover, pairsOf, partsOf } from '../support/cover.ts';
import { ADAPTERS, beside, type Dispatch, dispatches } from '../support/variants.ts';

const files = Object.values(import.meta.glob<WgslFile>('../../shaders/**/*.wgsl', { import: 'default', eager: true }));

const all = [...dispatches()];
/** One dispatch for each label: what is checked once need not be checked a thousand times. */
const variants = [...new Map(all.map((step) => [step.candidate.label, step])).values()];

describe('ops, kernels, references and cases', () => {
  it('every kernel is a candidate of some op, or runs beside them', () => {
    const used = new Set(
      [...all.map(({ candidate }) => candidate), ...beside].map(({ variant }) => variant.kernel.name),
    );
    expect(files.map(({ name }) => name).filter((name) => !name.startsWith('lib/') && !used.has(name))).toEqual([]);
  });

  it('every module, and every part of one, is linked with some kernel', () => {
    const linked = [...all.map(({ candidate }) => candidate), ...beside];
    const used = new Set(linked.flatMap(({ variant: { kernel, ports } }) => [kernel, ...ports].flatMap(partsOf)));
    const modules = files.flatMap(({ name, parts = {} }) => [
      name,
      ...Object.keys(parts).map((which) => `${name}.${which}`),
    ]);
    expect(modules.filter((name) => !used.has(name))).toEqual([]);
  });

  it('every op has a reference, and every reference an op', () => {
    expect([...OPS.keys()].sort()).toEqual([...REFERENCES.keys()].sort());
  });

  it('every op has a case', () => {
    const tested = new Set(CASES.map(({ op }) => op));
    expect([...OPS.keys()].filter((name) => !tested.has(name))).toEqual([]);
  });

  it('every op has a kernel, or is another name or a composition', () => {
    const bare = [...OPS.values()].filter(({ candidates, decompose, alias }) => !candidates && !decompose && !alias);
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  it('titles of cases are unique: they seed the numbers', () => {
    const titles = CASES.map(({ title }) => title);
    expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
  });
});

describe('the cover that is compiled in a run of the tests', () => {
  const kinds = ADAPTERS.map((caps, n) => ({
    caps,
    kind: ['a GPU', 'on the CPU', 'one that compiles fast', 'a GPU with few registers'][n],
  }));

  it.each(kinds)('has every pair of kernel and module: $kind', ({ caps }) => {
    const lists = [...new Set(all.filter((step) => step.caps === caps).map(({ candidates }) => candidates))];
    const every = new Map(lists.flat().map((candidate) => [candidateKey(candidate), candidate]));
    const chosen = cover(lists);
    const pairs = (list: Iterable<Candidate>): string[] => [...new Set([...list].flatMap(pairsOf))].sort();
    expect(pairs([...every].filter(([key]) => chosen.has(key)).map(([, candidate]) => candidate))).toEqual(
      pairs(every.values()),
    );
    expect(lists.filter(([first]) => !chosen.has(candidateKey(first!)))).toEqual([]);
    // Of one candidate alone nothing can be left out.
    const choices = new Set(lists.filter(({ length }) => length > 1).flatMap((list) => list.map(candidateKey)));
    expect([...choices].filter((key) => chosen.has(key)).length).toBeLessThan(0.6 * choices.size);
  });
});

describe('kernel variants', () => {
  it('labels say op and variant: name[tag,tag]', () => {
    const labels = [...new Set(all.map(({ candidate }) => candidate.label))];
    expect(labels.filter((label) => !/^[a-z]\w*\[\w+(,\w+)*\]$/i.test(label))).toEqual([]);
  });

  it('candidates of a step have labels of their own', () => {
    const doubles = all.filter(
      ({ candidates }) => new Set(candidates.map(({ label }) => label)).size < candidates.length,
    );
    expect(doubles.map(({ title }) => title)).toEqual([]);
  });

  it('modules that are linked together declare no name twice, used or not', () => {
    const declaration = /\n (?:@.*\)\s*)*(?:fn|const|alias|struct|var(?:<.*?>)?)\s*(\w+)/g;
    const faults = variants.flatMap(({ candidate: { label, variant } }) => {
      const texts = [variant.kernel, ...variant.ports].flatMap(({ texts }) => texts);
      const declared = texts.flatMap((text) => [...`\n${text}`.matchAll(declaration)].map(([, name]) => name!));
      const names = [...declared, ...Object.keys(variant.constants ?? {})];
      const twice = names.filter((name, i) => names.indexOf(name) < i);
      return twice.length ? [`${label}: ${twice}`] : [];
    });
    expect(faults).toEqual([]);
  });

  it('bindings have numbers and names of their own, and at most 8 are storage', () => {
    const faults = variants.flatMap(({ candidate, writes: results, title }) => {
      const { bindings } = link(candidate.variant);
      const count = (values: readonly unknown[]): number => new Set(values).size;
      const clash =
        count(bindings.map(({ binding }) => binding)) < bindings.length ||
        count(bindings.map(({ name }) => name)) < bindings.length;
      const storage = bindings.filter(({ type }) => type !== 'uniform').length;
      const writes = bindings.filter(({ type }) => type === 'storage').map(({ name }) => name);
      const fault = clash
        ? 'bindings clash'
        : storage > 8
          ? `${storage} storage buffers`
          : writes.some((name) => !((candidate.bind?.[name] ?? name) in results))
            ? `writes ${writes}`
            : '';
      return fault ? [`${candidate.label}: ${fault} (${title})`] : [];
    });
    expect(faults).toEqual([]);
  });

  it('every binding is an operand or the output, and every operand is bound', () => {
    const faults = all.flatMap(({ candidate, candidates, reads, writes, title }) => {
      const boundBy = ({ variant, bind }: Pick<Candidate, 'variant' | 'bind'>): string[] => {
        const { bindings, uniforms } = link(variant);
        const storage = bindings.filter(({ name }) => !uniforms.some((uniform) => uniform.name === name));
        return storage.map(({ name }) => bind?.[name] ?? name);
      };
      const whole = candidates.find(({ label }) => label === candidate.label)!;
      const bound = (whole.parts ?? [{}]).flatMap((part) => boundBy({ ...whole, ...part }));
      const missing = bound.filter((name) => !writes[name] && !reads[name]);
      const wanted = Object.entries({ ...reads, ...writes }).filter(([, { shape }]) => elementCount(shape) > 0);
      const unused = wanted.filter(([name]) => !bound.includes(name)).map(([name]) => name);
      return missing.length || unused.length
        ? [`${candidate.label}: lacks ${missing}, leaves ${unused} (${title})`]
        : [];
    });
    expect(faults).toEqual([]);
  });

  it('every field of a uniform has a number', () => {
    const fill = ({ layout }: Uniform, params: ParamValues): void =>
      writeParams(layout, params, new DataView(new ArrayBuffer(layout.size)), 0);
    for (const { candidate } of all) {
      for (const uniform of link(candidate.variant).uniforms) fill(uniform, candidate.params);
    }
  });

  it('a software adapter gets a kernel without barriers, a GPU one with them where there are both', () => {
    const shares = ({ variant }: Candidate): boolean => link(variant).code.includes('workgroupBarrier');
    const first = all.filter(({ candidate, candidates }) => candidate.label === candidates[0]!.label);
    const labels = (list: readonly Dispatch[]): string[] => list.map(({ candidate }) => candidate.label);
    expect(labels(first.filter(({ caps, candidate }) => caps.software && shares(candidate)))).toEqual([]);
    expect(labels(first.filter(({ caps, candidate }) => !caps.software && shares(candidate))).length).toBeGreaterThan(
      100,
    );
  });
});
