import { TilewrightError } from '../errors.ts';
import { type Graph, isInput, type NamedOptions, topological } from '../graph/ir.ts';
import type { TensorInput } from '../runtime/session.ts';
import { type Given, type GraphInputs, numbersFor } from './run-tensors.ts';

/** What a model makes of the inputs of a run. */
interface Runs {
  readonly title: string;
  /** Inputs checked, by name. */
  given(sample: GraphInputs): Map<string, Given>;
  /** The graph for them, and whether it is only the part until some numbers are known. */
  lowered(given: ReadonlyMap<string, Given>): Promise<{ readonly graph: Graph | undefined; readonly needs?: object }>;
  /** Their shapes, and the numbers that decide what the graph is. */
  key(given: ReadonlyMap<string, Given>): string;
}

/** Samples as a calibration takes them, inputs of one run each, and the graph that all of them have. */
export async function samplesFor(
  samples: Iterable<GraphInputs> | AsyncIterable<GraphInputs>,
  model: Runs,
): Promise<{ graph: Graph; inputs: AsyncIterable<Record<string, TensorInput>> }> {
  const rest = (async function* () {
    yield* samples;
  })();
  const first = await rest.next();
  if (first.done) throw new TilewrightError('invalid-argument', 'a calibration needs at least one sample');
  const given = model.given(first.value);
  const { graph, needs } = await model.lowered(given);
  const key = model.key(given); // the graph tells which numbers decide what it is
  if (!graph || needs)
    throw new TilewrightError('unsupported-option', `${model.title}: what its graph is depends on what it computes`);
  const leaves = topological(graph).filter(isInput);
  const numbersOf = (sample: GraphInputs): Record<string, TensorInput> => {
    const own = model.given(sample);
    const inputs: Record<string, TensorInput> = {};
    for (const { options, dataType } of leaves) {
      const { name } = options as NamedOptions;
      const { type, dims, values } = own.get(name)!;
      if (values) inputs[name] = numbersFor(name, type, dims, values, dataType);
    }
    const got = model.key(own);
    if (got !== key) throw new TilewrightError('wrong-shape', `calibrate: expected ${key}, got ${got}`);
    return inputs;
  };
  async function* all(): AsyncGenerator<Record<string, TensorInput>> {
    yield numbersOf(first.value as GraphInputs);
    for await (const sample of rest) yield numbersOf(sample);
  }
  return { graph, inputs: all() };
}
