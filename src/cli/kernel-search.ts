import { TilewrightError } from '../errors.ts';
import { link, moduleName, type Piece, type Variant, variantKey } from '../gpu/wgsl.ts';
import type { Plan } from '../graph/plan.ts';

/** Where a kernel's text came from, as plain JSON: what crosses from a page. */
export interface KernelPieces {
  /** Directives, named constants and uniforms. */
  readonly head: readonly string[];
  /** A file with its chosen parts, and the lines of its declarations that are linked; the kernel's first. */
  readonly modules: readonly {
    readonly file: string;
    readonly parts: readonly string[];
    readonly declarations: readonly { readonly line: number; readonly lines: number }[];
  }[];
}

export interface FoundKernel extends KernelPieces {
  readonly label: string;
  /** Kernels of a label differ in constants that it does not tell: which of how many this is, from 1 on. */
  readonly number: number;
  readonly count: number;
  /** What it was found in: a node of a model, a case. */
  readonly where: string;
}

/** What a variant is linked of: the kernel, which is read first, then its ports. Their order means nothing in WGSL. */
export function piecesOf(variant: Variant): KernelPieces {
  const { code, pieces } = link(variant);
  const modules = new Map<string, Piece[]>([[moduleName(variant.kernel), []]]);
  for (const piece of pieces) {
    const key = moduleName(piece.module);
    modules.set(key, [...(modules.get(key) ?? []), piece]);
  }
  return {
    head: code
      .split('\n')
      .slice(0, pieces[0]!.first - 1)
      .filter(Boolean),
    modules: [...modules.values()].map((own) => ({
      file: own[0]!.module.name,
      parts: own[0]!.module.chosen ?? [],
      declarations: own.map(({ line, text }) => ({ line, lines: text.split('\n').length })),
    })),
  };
}

/** A plan, and what it is of. */
export interface Planned {
  readonly name: string;
  readonly plan: Pick<Plan, 'steps' | 'prepare'>;
}

/** Labels that are told where none is right. */
const NEAR = 5;

/**
 * The kernel of a label among all candidates of plans, asked for one group of plans after the other until one of them has it. `label #2` is
 * the second of that label.
 * @throws `invalid-argument` where there is none: names the nearest
 */
export async function findKernel(
  wanted: string,
  groups: Iterable<Iterable<Planned | Promise<Planned>>>,
): Promise<FoundKernel> {
  const [, label, which] = wanted.trim().match(/^(.*?)(?: #([1-9]\d*))?$/)!;
  const number = Number(which ?? 1);
  const labels = new Set<string>();
  for (const group of groups) {
    const found = new Map<string, { variant: Variant; where: string }>();
    for await (const { name, plan } of group) {
      for (const { node, candidates } of [...plan.steps, ...plan.prepare]) {
        for (const { parts = [{}], ...whole } of candidates) {
          for (const part of parts) {
            const one = { ...whole, ...part };
            labels.add(one.label);
            const key = variantKey(one.variant);
            if (one.label !== label || found.has(key)) continue;
            found.set(key, { variant: one.variant, where: node.label ? `${name}, ${node.label}` : name });
          }
        }
      }
    }
    if (!found.size) continue;
    const chosen = [...found.values()][number - 1];
    if (chosen) return { label: label!, number, count: found.size, where: chosen.where, ...piecesOf(chosen.variant) };
    throw new TilewrightError('invalid-argument', `there are ${found.size} kernels '${label}', no #${number}`);
  }
  const near = nearest(label!, labels);
  throw new TilewrightError(
    'invalid-argument',
    `there is no kernel '${label}' among ${labels.size} here; near it: ${near.join('  ')}`,
    { hint: 'Labels are what plan, profile and tune print. Give the model, or --gpu, that it was printed for.' },
  );
}

const wordsOf = (label: string): Set<string> => new Set(label.split(/[^a-z0-9]+/i).filter(Boolean));

/** Labels that share the most words with a label, for words that differ. */
function nearest(label: string, labels: Iterable<string>): string[] {
  const wanted = wordsOf(label);
  const score = (other: string): number => {
    const words = wordsOf(other);
    const common = [...words].filter((word) => wanted.has(word)).length;
    return common / (words.size + wanted.size - common);
  };
  return [...labels].sort((a, b) => score(b) - score(a)).slice(0, NEAR);
}
