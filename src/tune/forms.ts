import type { Caps } from '../gpu/gpu.ts';
import { type Graph, leaf, type Operand, operand } from '../graph/ir.ts';
import { integerWins, type Wanted, winogradWins } from '../graph/passes/forms.ts';
import type { PassOptions } from '../graph/passes/index.ts';
import { keyOf } from '../tensor/key.ts';
import { elementCount, formatShape, formatTensor, typedArray } from '../tensor/types.ts';
import type { Runnable, TuneMode, Tuner } from './tuner.ts';

/**
 * Passes that write a node in another form: the option that decides for a node, and the table that decides without
 * tuning.
 */
const TABLES = { winograd: winogradWins, integer: integerWins } as const;

type Chosen = { -readonly [Name in keyof typeof TABLES]?: Wanted };

export interface FormOptions {
  readonly options: PassOptions;
  /** Runs the passes on the graph. */
  rewritten(options: PassOptions): Graph;
  readonly mode: Exclude<TuneMode, 'off'>;
  /** Builds a session without tuning. Absent: nothing is measured, only remembered winners count. */
  readonly build?: ((graph: Graph, options: PassOptions) => Promise<Runnable>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decides which nodes are written in another form. A node that a pass could rewrite becomes a graph of its own, with
 * made-up numbers; it is built and timed in both forms, and the faster is remembered. A form that the options decide is
 * not measured.
 */
export async function chooseForms(
  tuner: Tuner,
  caps: Caps,
  { options, rewritten, mode, build, signal }: FormOptions,
): Promise<Chosen> {
  const chosen: Chosen = {};
  for (const name of Object.keys(TABLES) as (keyof Chosen)[]) {
    if (options[name]) continue;
    const table = TABLES[name](caps);
    const asked = new Map<string, Operand>();
    rewritten({
      ...options,
      ...chosen,
      [name]: (node: Operand) => {
        asked.set(formKey(name, node, options), node);
        return table(node);
      },
    });
    for (const [key, node] of asked) {
      if (!build || tuner.settled(key, mode)) continue;
      const lone = alone(node);
      // The lone graph has its weights in their final type. Only `integer` needs the passes of quantisation.
      const how: PassOptions = { ...options, ...chosen, weights: name === 'integer' ? 'int8' : undefined };
      const forms = [table(node), !table(node)].map((wanted) => ({
        label: wanted ? name : 'plain',
        build: () => build(lone, { ...how, [name]: () => wanted }),
      }));
      const shape = Object.values(node.inputs)
        .slice(0, 2)
        .map((input) => formatShape(input.shape));
      await tuner.compare(key, { label: node.label ?? node.op, shape: shape.join(' · '), forms }, mode, signal);
    }
    chosen[name] = (node) => {
      const known = tuner.formOf(formKey(name, node, options));
      return known === undefined ? table(node) : known === name;
    };
  }
  return chosen;
}

/** The key of a form: op, types, shapes, options; for `integer` also how activations are scaled. */
function formKey(name: string, { op, inputs, options }: Operand, { activations }: PassOptions): string {
  const operands = Object.entries(inputs).map(([key, input]) => `${key}:${formatTensor(input)}`);
  return `${name}? ${op}(${operands.join(' ')}) ${keyOf(options)} ${name === 'integer' ? (activations ?? '') : ''}`;
}

/**
 * The graph of one node, with the dequantizeLinear before it. Its inputs are graph inputs, its constants made-up
 * constants.
 */
function alone(node: Operand): Graph {
  let inputs = 0;
  const bare = (input: Operand): Operand => {
    const { dataType, shape, label } = input;
    if (!input.constant && input.op === 'dequantizeLinear') return again(input);
    if (!input.constant) return leaf('input', { dataType, shape }, { name: `input${inputs++}` });
    const data = typedArray(dataType, elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = 1 + ((i * 7919) % 101);
    return leaf('constant', { dataType, shape }, { data }, label);
  };
  const again = ({ op, inputs: own, options, label }: Operand): Operand =>
    operand(op, Object.fromEntries(Object.entries(own).map(([key, input]) => [key, bare(input)])), options, label);
  return { outputs: { output: again(node) } };
}
