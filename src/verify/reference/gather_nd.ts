import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

/** A coordinate below zero counts from the end; what is still outside goes to the border. */
export function gatherND({ input, indices }: RefInputs): RefTensor {
  const lead = indices!.shape.slice(0, -1);
  const named = input!.shape.slice(0, indices!.shape.at(-1)!);
  return build(input!.dataType, [...lead, ...input!.shape.slice(named.length)], (index) => {
    const row = index.slice(0, lead.length);
    const place = named.map((extent, d) => {
      const wanted = at(indices!, [...row, d]);
      return Math.min(Math.max(wanted < 0 ? wanted + extent : wanted, 0), extent - 1);
    });
    return at(input!, [...place, ...index.slice(lead.length)]);
  });
}

export const references = { gatherND };
