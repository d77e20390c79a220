import { TilewrightError } from '../errors.ts';

export interface Binding {
  readonly name: string;
  readonly binding: number;
  readonly type: GPUBufferBindingType;
}

export interface StructField {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Number of 32-bit scalars. */
  readonly count: number;
  /** WGSL type, as `u32`, `vec4<u32>` or `array<vec4<u32>,2>`. */
  readonly type: string;
}

export interface StructLayout {
  readonly size: number;
  readonly fields: readonly StructField[];
}

/** A piece of WGSL with what the build read out of it (tools/wgsl-plugin.ts). */
interface WgslText {
  /** The line of the file on which `source` starts. */
  readonly line: number;
  readonly source: string;
  /** Layouts of the structs that become uniforms. */
  readonly structs?: Readonly<Record<string, StructLayout>>;
}

/** What a variant is linked of. */
export interface WgslModule extends WgslText {
  /** Its file under `shaders` without the ending, and the part: `gemm_tiled`, `lib/elem.f16`. */
  readonly name: string;
}

/** What the import of a `.wgsl` file gives: the file, and its parts where it holds alternatives. */
export interface WgslFile extends WgslModule {
  readonly parts?: Readonly<Record<string, WgslText>>;
}

/** One alternative of a file of alternatives. */
export function part({ name, parts }: WgslFile, which: string): WgslModule {
  const found = parts?.[which];
  if (!found) throw new TilewrightError('invalid-graph', `${name}.wgsl has no part '${which}'`);
  return { name: `${name}.${which}`, ...found };
}

/** A literal of a named WGSL constant. */
export const u32 = (value: number): string => `${value}u`;
/** WGSL has no literal for infinity: the largest float32 stands in. */
export const f32 = (value: number): string => {
  const finite = Math.fround(Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, value)));
  return `f32(${finite})`;
};

export type ParamValues = Readonly<Record<string, number | readonly number[]>>;

/** What makes a pipeline: a kernel, the modules it is linked with, named constants. */
export interface Variant {
  readonly kernel: WgslModule;
  readonly ports: readonly WgslModule[];
  readonly constants?: Readonly<Record<string, string>>;
}

export interface Uniform extends Binding {
  readonly layout: StructLayout;
}

export interface Linked {
  readonly code: string;
  /** In the order of their binding numbers, uniforms among them. */
  readonly bindings: readonly Binding[];
  readonly uniforms: readonly Uniform[];
  /** Where a line of `code` came from: `file:line`. */
  locate(line: number): string;
}

/** Structs that hold numbers of the op: the linker declares a variable for each that a module brings. */
const UNIFORMS = [
  { struct: 'Params', name: 'params', binding: 0 },
  { struct: 'Window', name: 'window', binding: 7 },
] as const;

const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*(\w+)>\s*(\w+)/g;

/** The storage buffers that a module declares. */
const storageBindings = ({ source }: WgslModule): Binding[] =>
  [...source.matchAll(STORAGE)].map(([, binding, access, name]) => ({
    name: name!,
    binding: Number(binding),
    type: access === 'read' ? 'read-only-storage' : 'storage',
  }));

/** Joins whole WGSL modules into one: directives first, then named constants and uniforms, then the bodies in order. */
export function link({ kernel, ports, constants = {} }: Variant): Linked {
  const modules = [...ports, kernel];
  const directives = new Set<string>();
  const bodies = modules.map((module) =>
    module.source.split('\n').map((line) => {
      const directive = line.match(/^(enable|requires|diagnostic)\b[^;]*;/)?.[0];
      if (directive) directives.add(directive);
      return directive ? '' : line; // an empty line keeps the numbering
    }),
  );
  const out = [...directives];
  for (const [name, literal] of Object.entries(constants)) out.push(`const ${name} = ${literal};`);
  const uniforms: Uniform[] = [];
  for (const { struct, name, binding } of UNIFORMS) {
    const layout = modules.find(({ structs }) => structs?.[struct])?.structs?.[struct];
    if (!layout) continue;
    uniforms.push({ name, binding, type: 'uniform', layout });
    out.push(`@group(0) @binding(${binding}) var<uniform> ${name}: ${struct};`);
  }
  const starts = bodies.map((lines, index) => {
    const first = out.length + 1;
    out.push(...lines);
    return { module: modules[index]!, first };
  });
  return {
    code: out.join('\n'),
    bindings: [...uniforms, ...modules.flatMap(storageBindings)].sort((a, b) => a.binding - b.binding),
    uniforms,
    locate(line) {
      const hit = starts.findLast(({ first }) => first <= line);
      return hit
        ? `${hit.module.name.replace(/\..*/, '')}.wgsl:${line - hit.first + hit.module.line}`
        : `constants:${line}`;
    },
  };
}

/** Identifies a variant: equal keys, equal programs. */
export function variantKey({ kernel, ports, constants = {} }: Variant): string {
  const names = [kernel, ...ports].map(({ name }) => name).join('+');
  return `${names}${JSON.stringify(constants)}`;
}

function fieldValues({ name, count }: StructField, values: ParamValues): readonly number[] {
  const value = values[name];
  if (value === undefined) throw new TilewrightError('invalid-graph', `params lacks the field '${name}'`);
  const list = typeof value === 'number' ? [value] : value;
  if (list.length > count)
    throw new TilewrightError('invalid-graph', `params.${name} holds ${count} numbers, got ${list.length}`);
  return [...list, ...new Array<number>(count - list.length).fill(0)];
}

/** Writes values into a uniform by field name, at `byteOffset` of `view`. */
export function writeParams(layout: StructLayout, values: ParamValues, view: DataView, byteOffset: number): void {
  for (const field of layout.fields) {
    const scalar = field.type.match(/[fiu]32|[fiu]>?$/)?.[0] ?? 'u32';
    fieldValues(field, values).forEach((value, i) => {
      const at = byteOffset + field.offset + 4 * i;
      if (scalar.startsWith('f')) view.setFloat32(at, value, true);
      else if (scalar.startsWith('i')) view.setInt32(at, value, true);
      else view.setUint32(at, value, true);
    });
  }
}
