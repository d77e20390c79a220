import { TilewrightError } from '../errors.ts';
import { keyOf } from '../tensor/key.ts';

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

/** What a variant is linked of: a file, or what all parts of a file share and the parts that were chosen. */
export interface WgslModule {
  /** The file under `shaders` without the ending: `gemm_tiled`, `lib/elem`. */
  readonly name: string;
  readonly chosen?: readonly string[];
  /** As tools/wgsl-plugin.ts makes them: lines have the numbers that they have in the file; those that begin a declaration have a space. */
  readonly texts: readonly string[];
  /** Layouts of the structs that become uniforms. */
  readonly structs?: Readonly<Record<string, StructLayout>>;
}

/** What the import of a `.wgsl` file gives. */
export interface WgslFile extends WgslModule {
  readonly parts?: Readonly<Record<string, string>>;
}

/** A file with these of its parts. */
export function part({ name, texts, structs, parts }: WgslFile, ...chosen: string[]): WgslModule {
  const found = chosen.map((which) => {
    const text = parts?.[which];
    if (!text) throw new TilewrightError('invalid-graph', `${name}.wgsl has no part '${which}'`);
    return text;
  });
  return { name, chosen, texts: [...texts, ...found], ...(structs && { structs }) };
}

/** A module by its file and its parts: `lib/elem.f16`. */
export const moduleName = ({ name, chosen = [] }: WgslModule): string => [name, ...chosen].join('.');

/** A literal of a named WGSL constant. */
export const u32 = (value: number): string => `${value}u`;
/** WGSL has no literal for infinity: the largest float32 stands in. */
export const f32 = (value: number): string => {
  const finite = Math.fround(Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, value)));
  return `f32(${finite})`;
};

export type ParamValues = Readonly<Record<string, number | readonly number[]>>;

/** What makes a pipeline: a kernel, the modules it is linked with, named constants, and its shape where that is baked. */
export interface Variant {
  readonly kernel: WgslModule;
  readonly ports: readonly WgslModule[];
  readonly constants?: Readonly<Record<string, string>>;
  /** Bakes `params` as a constant: faster code on some adapters, but a pipeline per shape. */
  readonly baked?: ParamValues;
}

export interface Uniform extends Binding {
  readonly layout: StructLayout;
}

/** A declaration in the linked code, with the comments and blank lines that its file has inside of it taken out. */
export interface Piece {
  readonly module: WgslModule;
  readonly name: string;
  /** Its first line, in the file and in the linked code, and how many it has. */
  readonly line: number;
  readonly first: number;
  readonly lines: number;
  /** Names in it, its own and what it uses. */
  readonly words: readonly string[];
}

export interface Linked {
  readonly code: string;
  /** In the order of their binding numbers, uniforms among them. */
  readonly bindings: readonly Binding[];
  readonly uniforms: readonly Uniform[];
  /** What `code` is made of, in order; directives, named constants and uniforms stand before them. */
  readonly pieces: readonly Piece[];
  /** Where a line of `code` came from: `file:line`. */
  locate(line: number): string;
}

/** Structs that hold numbers of the op: the linker declares a variable for each that a module brings. */
const UNIFORMS = [
  { struct: 'Params', name: 'params', binding: 0 },
  { struct: 'Window', name: 'window', binding: 7 },
] as const;

const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*(\w+)>\s*(\w+)/;
const DECLARED = /^(?:@.*\)\s*)*(?:fn|const|alias|struct|var(?:<.*?>)?)\s*(\w+)/;

interface Declaration {
  /** Undefined: a directive. */
  readonly name: string | undefined;
  readonly text: string;
  readonly words: readonly string[];
  readonly line: number;
}

const split = new Map<string, readonly Declaration[]>();

/** The declarations and directives of a text, read once. */
function declarationsOf(text: string): readonly Declaration[] {
  let found = split.get(text);
  if (!found) {
    const [before, ...pieces] = `\n${text}`.split('\n ');
    let line = 1 + before!.length;
    found = pieces.map((piece) => {
      const at = line;
      line += piece.split('\n').length;
      const words = [...new Set(piece.match(/[a-z_]\w*/gi))];
      return { name: piece.match(DECLARED)?.[1], text: piece.trimEnd(), words, line: at };
    });
    split.set(text, found);
  }
  return found;
}

const given = (name: string, text: string, words: readonly string[] = []): Declaration => ({
  name,
  text,
  words,
  line: 0,
});

/**
 * Joins modules into one: directives first, then named constants and uniforms, then ports in order, then the kernel. What `main` does not
 * come to is left out: a module brings only what is used of it.
 */
export function link({ kernel, ports, constants = {}, baked }: Variant): Linked {
  const modules = [...ports, kernel];
  const bodies = modules.flatMap((module) =>
    module.texts.flatMap((text) => declarationsOf(text).map((declaration) => ({ module, declaration }))),
  );
  const numbers = Object.entries(constants).map(([name, literal]) => given(name, `const ${name} = ${literal};`));
  const shapes = UNIFORMS.flatMap(({ struct, name, binding }) => {
    const layout = bodies.find(({ declaration }) => declaration.name === struct)?.module.structs?.[struct];
    if (!layout) return [];
    const text = baked
      ? `const ${name} = ${structLiteral(struct, layout, baked)};`
      : `@group(0) @binding(${binding}) var<uniform> ${name}: ${struct};`;
    return [{ ...given(name, text, [struct]), uniform: { name, binding, type: 'uniform', layout } as const }];
  });
  const all = [...numbers, ...shapes, ...bodies.map(({ declaration }) => declaration)];
  const named = new Map(all.map((one) => [one.name, one]));
  const used = new Set<Declaration>();
  const use = (name: string): void => {
    const found = named.get(name);
    if (!found || used.has(found)) return;
    used.add(found);
    found.words.forEach(use);
  };
  use('main');

  const textsOf = (list: readonly Declaration[]): string[] =>
    list.filter((one) => used.has(one)).map(({ text }) => text);
  const directives = new Set(bodies.flatMap(({ declaration: { name, text } }) => (name ? [] : [text])));
  const literals = textsOf(numbers).join(' ');
  const out = [...directives, ...(literals ? [literals] : []), ...textsOf(shapes)];
  const pieces = bodies.flatMap(({ module, declaration }): Piece[] => {
    const { name, text, words, line } = declaration;
    if (!name || !used.has(declaration)) return [];
    const lines = text.split('\n');
    const first = out.length + 1;
    out.push(...lines);
    return [{ module, name, words, line, first, lines: lines.length }];
  });
  const uniforms = baked ? [] : shapes.flatMap((one) => (used.has(one) ? [one.uniform] : []));
  const storage = [...used].flatMap(({ text }): Binding[] => {
    const [, binding, access, name] = text.match(STORAGE) ?? [];
    return name ? [{ name, binding: Number(binding), type: access === 'read' ? 'read-only-storage' : 'storage' }] : [];
  });
  return {
    code: out.join('\n'),
    bindings: [...uniforms, ...storage].sort((a, b) => a.binding - b.binding),
    uniforms,
    pieces,
    locate(at) {
      const hit = pieces.findLast(({ first }) => first <= at);
      return hit ? `${hit.module.name}.wgsl:${at - hit.first + hit.line}` : `constants:${at}`;
    },
  };
}

/** Whether a module of the variant has this text. */
export const brings = ({ kernel, ports }: Variant, text: string): boolean =>
  [kernel, ...ports].some(({ texts }) => texts.some((own) => own.includes(text)));

/** Identifies a variant: equal keys, equal programs. */
export function variantKey({ kernel, ports, constants = {}, baked }: Variant): string {
  const names = [kernel, ...ports].map(moduleName).join('+');
  return `${names}${JSON.stringify(constants)}${baked ? keyOf(baked) : ''}`;
}

function fieldValues({ name, count }: StructField, values: ParamValues): readonly number[] {
  const value = values[name];
  if (value === undefined) throw new TilewrightError('invalid-graph', `params lacks the field '${name}'`);
  const list = typeof value === 'number' ? [value] : value;
  if (list.length > count)
    throw new TilewrightError('invalid-graph', `params.${name} holds ${count} numbers, got ${list.length}`);
  return [...list, ...new Array<number>(count - list.length).fill(0)];
}

function structLiteral(struct: string, { fields }: StructLayout, values: ParamValues): string {
  const literals = fields.map((field) => {
    const list = fieldValues(field, values);
    if (!field.type.startsWith('array')) return `${field.type}(${list.join(', ')})`;
    const element = field.type.match(/^array<\s*(vec4<?\w+>?)/)![1]!;
    const rows = Array.from(
      { length: list.length / 4 },
      (_, i) => `${element}(${list.slice(4 * i, 4 * i + 4).join(', ')})`,
    );
    return `array(${rows.join(', ')})`;
  });
  return `${struct}(${literals.join(', ')})`;
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
