import { TilewrightError } from '../errors.ts';

export interface Binding {
  readonly name: string;
  readonly binding: number;
  /** Of a texture, its type in WGSL. */
  readonly type: GPUBufferBindingType | 'texture_2d' | 'texture_external';
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
  /**
   * As tools/wgsl-plugin.ts makes them: lines have the numbers that they have in the file, a line of digits stands for so many ends of lines; those that
   * begin a declaration have a space.
   */
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

/** What makes a pipeline: a kernel, the modules it is linked with, named constants. */
export interface Variant {
  readonly kernel: WgslModule;
  readonly ports: readonly WgslModule[];
  readonly constants?: Readonly<Record<string, string>>;
}

export interface Uniform extends Binding {
  readonly layout: StructLayout;
}

/** A declaration, or a directive, as tools/wgsl-plugin.ts leaves it. */
interface Declaration {
  /** Empty: a directive. */
  readonly name: string;
  readonly text: string;
  /** Names in it: its own, and what it uses. */
  readonly words: readonly string[];
  /** Its first line in the file. */
  readonly line: number;
}

/** A declaration in the linked code. */
export interface Piece extends Declaration {
  readonly module: WgslModule;
  /** Its first line in the linked code. */
  readonly first: number;
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
  { struct: 'Bias', name: 'steps', binding: 8 },
] as const;

const RESOURCE = /@binding\((\d+)\)\s*var(?:<storage,\s*(\w+)>)?\s*(\w+)\s*:\s*(\w+)/;
const NAME = /(?:\b(?:fn|const|alias|struct|var) |>)(\w+)/;

const known = new Map<string, readonly Declaration[]>();

/** A text of a module with all its ends of lines. */
export const unfolded = (text: string): string => text.replace(/\n(\d+)\n/g, (_, count) => '\n'.repeat(count));

/** The declarations and directives of a text. */
function read(text: string): readonly Declaration[] {
  let line = 0;
  const [, ...found] = `\n${unfolded(text)}`.split(/\n(?= )/).map((piece) => {
    const at = line;
    line += piece.split('\n').length;
    return { name: piece.match(NAME)?.[1] ?? '', text: piece.trim(), words: piece.match(/[a-z]\w*/gi) ?? [], line: at };
  });
  known.set(text, found); // it is read once
  return found;
}

/**
 * Joins modules into one: directives first, then named constants and uniforms, then ports in order, then the kernel. What `main` does not
 * come to is left out: a module brings only what is used of it.
 */
export function link({ kernel, ports, constants = {} }: Variant): Linked {
  const bodies = [...ports, kernel].flatMap((module) =>
    module.texts.flatMap((text) => (known.get(text) ?? read(text)).map((declaration) => ({ ...declaration, module }))),
  );
  const words = new Map(bodies.map(({ name, words }) => [name, words]));
  const structs = UNIFORMS.flatMap(({ struct, ...uniform }) => {
    const layout = bodies.find(({ name }) => name === struct)?.module.structs?.[struct];
    words.set(uniform.name, [struct]);
    return layout ? [{ struct, ...uniform, type: 'uniform' as const, layout }] : [];
  });
  const used = new Set<string>();
  const use = (name: string): void => {
    if (used.has(name)) return;
    used.add(name);
    words.get(name)?.forEach(use);
  };
  use('main');

  const isUsed = ({ name }: { name: string }): boolean => used.has(name);
  const uniforms = structs.filter(isUsed);
  const literals = Object.entries(constants).flatMap(([name, value]) =>
    used.has(name) ? `const ${name} = ${value};` : [],
  );
  const head = [
    ...new Set(bodies.flatMap(({ name, text }) => (name ? [] : text))),
    literals.join(' '),
    ...uniforms.map(({ struct, name, binding }) => `@group(0) @binding(${binding}) var<uniform> ${name}: ${struct};`),
  ];
  let end = head.length + 1;
  const pieces = bodies.filter(isUsed).map((piece) => {
    const first = end;
    end += piece.text.split('\n').length;
    return { ...piece, first };
  });
  const resources = pieces.flatMap(({ text }): Binding[] => {
    const [, binding, access, name, texture] = text.match(RESOURCE) ?? [];
    const storage = access === 'read' ? 'read-only-storage' : 'storage';
    return name ? [{ name, binding: Number(binding), type: access ? storage : (texture as 'texture_2d') }] : [];
  });
  return {
    code: [...head, ...pieces.map(({ text }) => text)].join('\n'),
    bindings: [...uniforms, ...resources].sort((a, b) => a.binding - b.binding),
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
export function variantKey({ kernel, ports, constants = {} }: Variant): string {
  const names = [kernel, ...ports].map(moduleName).join('+');
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
