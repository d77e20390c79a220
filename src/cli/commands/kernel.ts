import { GPUS } from '../../../tools/gpu-compiler/gpus.mjs';
import { capsOf, workloads } from '../../../tools/gpu-compiler/kernels.ts';
import type { Caps } from '../../gpu/gpu.ts';
import { loadOps } from '../../graph/groups/index.ts';
import { optimise } from '../../graph/passes/index.ts';
import { plan } from '../../graph/plan.ts';
import { CASES } from '../../verify/cases/index.ts';
import { floatsOf, graphOf } from '../../verify/run.ts';
import { resolveModel } from '../files.ts';
import { type FoundKernel, findKernel, type Planned } from '../kernel-search.ts';
import { kernelText } from '../kernel-text.ts';
import type { PlannedGpu } from '../options.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface KernelOptions extends ModelOptions {
  readonly gpu?: PlannedGpu;
}

/** Prints the linked text of a kernel: of a model's, or of the cases of the ops and of the bench, here or on a GPU. */
export async function kernel(
  label: string,
  model: string | undefined,
  { gpu, ...options }: KernelOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  await loadOps(); // the cases have ops of all groups
  const found =
    model === undefined
      ? await findKernel(
          label,
          groupsOf(gpu ? capsOf(GPUS[gpu === 'amd' ? 'navi31' : 'tgl']!) : await capsHere(context)),
        )
      : await inModel(label, model, options, context);
  const text = await kernelText(found);
  terminal.note(terminal.paintNote('dim', `kernel   ${found.label}, of ${found.where}`));
  if (found.count > 1) {
    const other = `${found.label} #${(found.number % found.count) + 1}`;
    terminal.note(
      terminal.paintNote(
        'dim',
        `         ${found.number} of ${found.count} that differ in constants; '${other}' is the next`,
      ),
    );
  }
  terminal.print(text);
  const { head: _, modules: __, ...report } = found;
  terminal.result({ ...report, text });
}

async function inModel(
  label: string,
  model: string,
  options: ModelOptions,
  context: CommandContext,
): Promise<FoundKernel> {
  const source = await resolveModel(model);
  return withRuntime(context, async (runtime) => {
    const args = { label, model: { model: await runtime.model(source), load: loadArgs(options) } };
    return runtime.run('kernel', args, { signal: context.signal, onEvent: follow(context, runtime) });
  });
}

const capsHere = (context: CommandContext): Promise<Caps> =>
  withRuntime(context, (runtime) =>
    runtime.run('caps', {}, { signal: context.signal, onEvent: follow(context, runtime) }),
  );

/** Workloads of models that have files: those are given as the model. */
const SHIPPED = /resnet20-cifar10|gpt-shakespeare/;

/** The plans of all cases of the ops, then those of the bench and of published models. */
function* groupsOf(caps: Caps): Generator<Iterable<Planned | Promise<Planned>>> {
  yield CASES.flatMap((test) =>
    floatsOf(test, caps, true).map((float) => ({ name: test.title, plan: plan(optimise(graphOf(test, float)), caps) })),
  );
  yield (function* () {
    for (const { name, options, graph } of workloads().filter(({ name }) => !SHIPPED.test(name)))
      yield (async () => ({ name, plan: plan(optimise(await graph(), options, caps), caps) }))();
  })();
}
