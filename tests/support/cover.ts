import { type Variant, variantKey, type WgslModule } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';

/** The pipelines of a candidate: its own, and those of parts that have others. */
export function variantsOf({ variant, parts = [] }: Candidate): Variant[] {
  const all = parts.length ? parts.map((part) => part.variant ?? variant) : [variant];
  return [...new Map(all.map((one) => [variantKey(one), one])).values()];
}

/** Equal keys: equal programs. */
export const candidateKey = (candidate: Candidate): string => variantsOf(candidate).map(variantKey).join(' ');

/** The files and the parts that a module is of. */
export const partsOf = ({ name, chosen = [] }: WgslModule): string[] => [
  name,
  ...chosen.map((which) => `${name}.${which}`),
];

/** The files and parts that a candidate links, each with the kernel that it is linked with: what a pipeline is made of. */
export const pairsOf = (candidate: Candidate): string[] =>
  variantsOf(candidate).flatMap(({ kernel, ports }) =>
    [kernel, ...ports].flatMap(partsOf).map((name) => `${kernel.name}+${name}`),
  );

/** Keys of what runs without tuning: the first candidate of each case. */
export const firsts = (cases: readonly (readonly Candidate[])[]): Set<string> =>
  new Set(cases.flatMap(([first]) => (first ? [candidateKey(first)] : [])));

/**
 * Keys of the candidates that are worth compiling, of what each case has: the first, which is what runs without tuning, and as few
 * others as have, together with them, every pair of kernel and module that any has. Greedy: the one with the most new pairs first.
 */
export function cover(cases: readonly (readonly Candidate[])[]): Set<string> {
  const chosen = new Set<string>();
  const met = new Set<string>();
  const take = (candidate: Candidate): void => {
    chosen.add(candidateKey(candidate));
    for (const pair of pairsOf(candidate)) met.add(pair);
  };
  for (const [first] of cases) if (first) take(first);
  let left = [...new Map(cases.flat().map((candidate) => [candidateKey(candidate), candidate])).values()];
  const news = (candidate: Candidate): number => pairsOf(candidate).filter((pair) => !met.has(pair)).length;
  for (;;) {
    left = left.filter((candidate) => news(candidate) > 0);
    if (!left.length) return chosen;
    take(left.reduce((best, candidate) => (news(candidate) > news(best) ? candidate : best)));
  }
}
