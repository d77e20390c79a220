import { type BuildOptions, buildSession, planOf } from '../build/build.ts';
import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Checkpoint } from '../formats/safetensors.ts';
import type { TensorToWrite } from '../formats/safetensors-write.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { type Graph, type Operand, topological } from '../graph/ir.ts';
import { type Calibration, layerNames } from '../graph/passes/activations.ts';
import { signal as aSignal, checkOptions, fn, number, type Rules } from '../options.ts';
import type { TensorInput } from '../runtime/session.ts';

/** How scales are taken from samples. */
export interface CalibrationOptions {
  /** Per cent of a layer's inputs that the scale holds; larger inputs are clipped. */
  percentile?: number;
  /** Ends the calibration with `aborted`. */
  signal?: AbortSignal | undefined;
  /** Is told after each sample how many are done. */
  onSample?: (done: number) => void;
}

const RULES: Rules<CalibrationOptions> = { percentile: number(1e-3, 100), signal: aSignal, onSample: fn };

/** The inputs of products by constant weights, by the name of the layer. */
function layerInputs(graph: Graph): Map<string, Operand> {
  const layerOf = layerNames();
  const layers = topological(graph).flatMap((node) => layerOf(node) ?? []);
  return new Map(layers.map(({ name, left }) => [name, left]));
}

/** The |x| that `percentile` per cent of the numbers do not exceed; for 100 the largest. */
export function magnitude(values: Float32Array, percentile: number): number {
  const sizes = values.map(Math.abs);
  if (percentile >= 100) return sizes.reduce((a, b) => Math.max(a, b), 0);
  sizes.sort();
  return sizes[Math.min(sizes.length - 1, Math.ceil((percentile * sizes.length) / 100) - 1)] ?? 0;
}

/**
 * Runs a graph in floats over sample inputs and records the scale of each layer's input: max |x| / 127, or the largest
 * of the samples' percentiles. Errors: `invalid-argument` without a sample, or for a percentile out of range.
 */
export async function calibrate(
  gpu: Gpu,
  graph: Graph,
  how: BuildOptions,
  samples: Iterable<Readonly<Record<string, TensorInput>>> | AsyncIterable<Readonly<Record<string, TensorInput>>>,
  options: CalibrationOptions = {},
): Promise<Calibration> {
  checkOptions('calibrate', options, RULES);
  const { percentile = 100, signal, onSample } = options;
  const floats: BuildOptions = { ...how, activations: undefined, without: ['winograd'], tune: 'off' };
  const layers = layerInputs((await planOf(gpu, graph, floats)).graph);
  const largest = new Map([...layers.keys()].map((label) => [label, 0]));
  using session = await buildSession(gpu, { outputs: Object.fromEntries(layers) }, floats);
  let done = 0;
  for await (const inputs of samples) {
    throwIfAborted(signal, 'the calibration');
    const wanted = Object.entries(inputs).filter(([name]) => session.plan.inputs.has(name));
    const results = await session.run(Object.fromEntries(wanted), { signal });
    for (const [label, values] of Object.entries(results))
      largest.set(label, Math.max(largest.get(label)!, magnitude(values as Float32Array, percentile)));
    done++;
    onSample?.(done);
  }
  if (!done) throw new TilewrightError('invalid-argument', 'a calibration needs at least one sample');
  return Object.fromEntries([...largest].map(([label, top]) => [label, Math.fround(top / 127) || 1]));
}

const SUFFIX = '.input_scale';

/** A calibration as tensors of a file: `layer1.0.conv1.input_scale`, float32 of one number each. */
export const calibrationTensors = (calibration: Calibration): TensorToWrite[] =>
  Object.entries(calibration).map(([layer, scale]) => ({
    name: `${layer}${SUFFIX}`,
    storedType: 'F32',
    shape: [1],
    bytes: new Uint8Array(Float32Array.of(scale).buffer),
  }));

/** The calibration that a checkpoint holds; undefined where it holds none. */
export async function storedCalibration(
  { tensors }: Checkpoint,
  signal?: AbortSignal,
): Promise<Calibration | undefined> {
  const scales: Record<string, number> = {};
  for (const [name, tensor] of tensors) {
    if (!name.endsWith(SUFFIX) || tensor.storedType !== 'F32') continue;
    const bytes: number[] = [];
    for await (const chunk of tensor.chunks(signal)) bytes.push(...chunk);
    scales[name.slice(0, -SUFFIX.length)] = new Float32Array(Uint8Array.from(bytes).buffer)[0]!;
  }
  return Object.keys(scales).length ? scales : undefined;
}
