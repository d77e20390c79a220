import kernel from '../../shaders/gemm_matrix.wgsl';
import type { Engine } from '../../src/engine.ts';
import type { SubgroupMatrix } from '../../src/gpu/gpu.ts';
import { part, unfolded, type WgslModule } from '../../src/gpu/wgsl.ts';
import type { ChoiceStore } from '../../src/tune/store.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { freshEngine } from './engine.ts';
import plain from './plain_matrix.wgsl';
import { storeOf } from './store.ts';

const COMPONENTS = ['f16', 'i8'] as const;

/** What an adapter with subgroup matrices would say, whose subgroups may have 128 invocations. Those of software adapters are smaller. */
export const MATRICES: readonly SubgroupMatrix[] = COMPONENTS.map((component) => ({
  component,
  m: 16,
  n: 16,
  k: 16,
  lanes: 128,
}));

/** What the stand-in has in the place of. */
const REPLACED = /^(enable chromium|(alias|const|fn) (Left|Right|Sum|ZERO|Matrices|none|multiply|leave)\b)/;

/** The declarations and directives of a module, as they stand in linked code. */
const declarations = ({ texts }: WgslModule): string[] =>
  texts.flatMap((text) => `\n${unfolded(text)}`.split(/\n(?= )/)).map((text) => text.trim());

/** The code of a kernel with the stand-in in the place of subgroup matrices. */
function standingIn(code: string): string {
  const component = COMPONENTS.find((one) => code.includes(`subgroup_matrix_left<${one}`))!;
  const replaced = declarations(part(kernel, component)).filter((text) => REPLACED.test(text));
  const rest = replaced.reduce((text, one) => text.replace(one, ''), code);
  return [rest, ...declarations(part(plain, component, 'matrix'))].join('\n');
}

/**
 * An engine that is planned for as a GPU with subgroup matrices would be. A stand-in computes what they would; `breaks` changes it.
 * Undefined where subgroups are missing, which the stand-in needs.
 */
export async function matrixEngine({
  store = storeOf(),
  breaks = (code) => code,
}: {
  store?: ChoiceStore;
  breaks?: (code: string) => string;
} = {}): Promise<Engine> {
  const engine = await freshEngine();
  const { gpu, device } = engine;
  Tuner.on(gpu, store);
  Object.assign(gpu.caps, { software: false, subgroupMatrices: MATRICES });
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = ({ code, ...rest }) =>
    create({ ...rest, code: code.includes('subgroup_matrix') ? breaks(standingIn(code)) : code });
  return engine;
}
