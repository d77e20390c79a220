import { NO_TOKEN } from '../../ops/sample.ts';
import type { SamplerSettings } from '../../text/sampler.ts';
import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** How many weights, from the first on, have a sum that is `enough`. */
function reach(weights: readonly number[], enough: (sum: number) => boolean): number {
  let sum = 0;
  const at = weights.findIndex((weight) => {
    sum += weight;
    return enough(sum);
  });
  return at < 0 ? weights.length : at + 1;
}

/** The token of one line of logits, by sorting the line. */
export function sampleLine(
  logits: ArrayLike<number>,
  [temperature, topK, topP, draw, minP = 0]: SamplerSettings | readonly number[],
): number {
  const line = Array.from(logits);
  const ranked = [...line.keys()].sort((i, j) => line[j]! - line[i]! || i - j);
  const best = line[ranked[0]!]!;
  if (line.some((logit) => !(logit < Number.POSITIVE_INFINITY)) || best === Number.NEGATIVE_INFINITY) return NO_TOKEN;
  if (temperature === 0) return ranked[0]!;
  const weight = (token: number): number => Math.exp((line[token]! - best) / temperature!);
  // In the order of indices where no token is left out.
  const order = topK! < line.length || topP! < 1 || minP > 0 ? ranked : [...line.keys()];
  const kept = order.filter((token) => line[token]! > Number.NEGATIVE_INFINITY).slice(0, topK);
  const wanted = topP! * sumOf(kept.map(weight));
  const core =
    topP! < 1
      ? kept.slice(
          0,
          reach(kept.map(weight), (sum) => sum >= wanted),
        )
      : kept;
  const nucleus = core.filter((token) => weight(token) >= minP);
  const point = draw! * sumOf(nucleus.map(weight));
  const likely = nucleus.filter((token) => weight(token) > 0);
  return likely[reach(likely.map(weight), (sum) => sum > point) - 1]!;
}

export const sample = ({ logits, settings }: RefInputs): RefTensor => {
  const line = (tensor: RefTensor, index: readonly number[]): number[] =>
    Array.from({ length: tensor.shape.at(-1)! }, (_, i) => at(tensor, [...index, i]));
  return build('uint32', logits!.shape.slice(0, -1), (index) =>
    sampleLine(line(logits!, index), line(settings!, index)),
  );
};

export const references = { sample };
