import { isFloat } from '../../tensor/types.ts';
import { at, build, everywhere, held, moved, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min';

const APPLY: Readonly<Record<Reduction, (a: number, b: number) => number>> = {
  none: (_a, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

/** From the end where negative; then to the border. */
const within = (index: number, extent: number): number =>
  Math.min(Math.max(index < 0 ? index + extent : index, 0), extent - 1);

export function gatherElements({ input, indices }: RefInputs, { axis = 0 }: { axis?: number }): RefTensor {
  const d = axis < 0 ? axis + input!.shape.length : axis;
  return build(input!.dataType, indices!.shape, (index) =>
    at(input!, moved(index, [d], [within(at(indices!, index), input!.shape[d]!)])),
  );
}

/** The input, where update after update hits the element that `target` says. */
function scattered(
  { input, updates }: RefInputs,
  reduction: Reduction,
  target: (index: readonly number[]) => readonly number[],
): RefTensor {
  const { dataType, shape } = input!;
  const data = Float64Array.from(everywhere(shape), (index) => at(input!, index));
  const mass = data.map(Math.abs);
  for (const index of everywhere(updates!.shape)) {
    const place = placeOf(shape, target(index));
    const update = at(updates!, index);
    const product = reduction === 'mul' && !isFloat(dataType);
    data[place] = held(dataType, (product ? Math.imul : APPLY[reduction])(data[place]!, update));
    mass[place] = reduction === 'add' ? mass[place]! + Math.abs(update) : Math.abs(data[place]!);
  }
  return { dataType, shape, data, mass, terms: updates!.data.length };
}

export function scatterElements(
  inputs: RefInputs,
  { axis = 0, reduction = 'none' }: { axis?: number; reduction?: Reduction },
): RefTensor {
  const { input, indices } = inputs;
  const d = axis < 0 ? axis + input!.shape.length : axis;
  return scattered(inputs, reduction, (index) => moved(index, [d], [within(at(indices!, index), input!.shape[d]!)]));
}

export function scatterND(inputs: RefInputs, { reduction = 'none' }: { reduction?: Reduction }): RefTensor {
  const { input, indices } = inputs;
  const lead = indices!.shape.length - 1;
  const named = input!.shape.slice(0, indices!.shape.at(-1)!);
  return scattered(inputs, reduction, (index) => [
    ...named.map((extent, d) => within(at(indices!, [...index.slice(0, lead), d]), extent)),
    ...index.slice(lead),
  ]);
}

export const references = { gatherElements, scatterElements, scatterND };
