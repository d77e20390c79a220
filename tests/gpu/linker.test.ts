import { describe, expect, it } from 'vitest';
import { f32, link, part, u32, variantKey, type WgslFile, writeParams } from '../../src/gpu/wgsl.ts';
import { describeFile } from '../../tools/wgsl-plugin.ts';

const file = (name: string, text: string): WgslFile => describeFile(`shaders/${name}.wgsl`, text) as WgslFile;

const kernel = file(
  'scale',
  `// scale: output = factor * input
struct Params { count: u32, factor: f32, axes: array<vec4u, 2> }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;

// factored: of element i
fn factored(i: u32) -> Elem { return params.factor * input[i]; }

fn unused() -> f32 {
  return factored(0u);
}
var<workgroup> idle: f32;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  output[id.x] = factored(id.x); // written once
}
`,
);
const elem = file('elem', '//# f32\nalias Elem = f32;\n\n//# f16\nenable f16;\nalias Elem = f16;\n');

describe('the WGSL linker', () => {
  it('reads bindings, structs and parts out of a file, without its comments', () => {
    const [text] = kernel.texts;
    expect(link({ kernel, ports: [] }).bindings.filter(({ type }) => type !== 'uniform')).toEqual([
      { name: 'input', binding: 1, type: 'read-only-storage' },
      { name: 'output', binding: 3, type: 'storage' },
    ]);
    expect(kernel.structs!['Params']).toMatchObject({ size: 48 });
    expect(kernel.structs!['Params']!.fields.map(({ name, offset, count }) => [name, offset, count])).toEqual([
      ['count', 0, 1],
      ['factor', 4, 1],
      ['axes', 16, 8],
    ]);
    expect(text).not.toContain('//');
    expect(Object.keys(elem.parts!)).toEqual(['f32', 'f16']);
    expect(elem.texts).toEqual([]);
  });

  it('reads textures, and leaves out those that are not used', () => {
    const picture = file(
      'picture',
      ['texture_2d<f32>', 'texture_external']
        .map((type, i) => `@group(0) @binding(${4 + i}) var picture${i}: ${type};\n`)
        .join(''),
    );
    const main = file('main', '@compute @workgroup_size(1)\nfn main() { _ = textureDimensions(picture1); }\n');
    expect(link({ kernel: main, ports: [picture] }).bindings).toEqual([
      { name: 'picture1', binding: 5, type: 'texture_external' },
    ]);
    const flat = file('main', '@compute @workgroup_size(1)\nfn main() { _ = textureDimensions(picture0); }\n');
    expect(link({ kernel: flat, ports: [picture] }).bindings).toEqual([
      { name: 'picture0', binding: 4, type: 'texture_2d' },
    ]);
  });

  it('refuses what it could not leave out by itself', () => {
    expect(() => file('two', 'const A = 1u; const B = 2u;\n')).toThrow(
      'shaders/two.wgsl:1: expected each declaration on a line',
    );
    expect(() => file('odd', '\noverride A = 1u;\n')).toThrow(
      "shaders/odd.wgsl:2: expected a declaration, got 'override A=1u;'",
    );
  });

  it('puts directives first, then constants and uniforms, then ports, then the kernel', () => {
    const { code, bindings, uniforms, locate } = link({
      kernel,
      ports: [part(elem, 'f16')],
      constants: { WG: u32(64) },
    });
    const lines = code.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'enable f16;',
      'const WG = 64u;',
      '@group(0) @binding(0) var<uniform> params: Params;',
    ]);
    expect(code.match(/enable f16/g)).toHaveLength(1);
    expect(bindings.map(({ name, binding }) => [binding, name])).toEqual([
      [0, 'params'],
      [1, 'input'],
      [3, 'output'],
    ]);
    expect(uniforms).toHaveLength(1);
    const main = lines.findIndex((line) => line.startsWith('fn main')) + 1;
    expect(locate(main)).toBe('scale.wgsl:16');
    expect(locate(main + 1)).toBe('scale.wgsl:17');
    expect(locate(lines.indexOf('alias Elem=f16;') + 1)).toBe('elem.wgsl:6');
    expect(locate(2)).toBe('constants:2');
  });

  it('takes of a module what main comes to, and no binding, constant or uniform that nothing uses', () => {
    const port = file(
      'port',
      '@group(0) @binding(2) var<storage, read> more: array<f32>;\nfn twice(x: f32) -> f32 { return 2.0 * x; }\n',
    );
    const { code, pieces, bindings } = link({
      kernel,
      ports: [port, part(elem, 'f32')],
      constants: { WG: '1u', DEPTH: '4u' },
    });
    expect(pieces.map(({ name }) => name)).toEqual(['Elem', 'Params', 'input', 'output', 'factored', 'main']);
    expect(code).not.toMatch(/unused|idle|twice|DEPTH/);
    expect(bindings.map(({ name }) => name)).toEqual(['params', 'input', 'output']);
    const caller = file(
      'caller',
      '@compute @workgroup_size(1)\nfn main() { output[0] = twice(1.0); }\n@group(0) @binding(3) var<storage, read_write> output: array<f32>;\n',
    );
    expect(link({ kernel: caller, ports: [port] }).pieces.map(({ name }) => name)).toEqual(['twice', 'main', 'output']);
  });

  it('takes what all parts of a file share with each of them, and several parts together', () => {
    const shared = file(
      'shared',
      'const TWO = 2.0;\n\n//# a\nfn a() -> f32 { return TWO; }\n\n//# b\nfn b() -> f32 { return TWO; }\n',
    );
    const caller = file('caller', '@compute @workgroup_size(1)\nfn main() { let x = a() + b(); }\n');
    const variant = { kernel: caller, ports: [part(shared, 'a', 'b')] };
    expect(link(variant).pieces.map(({ name }) => name)).toEqual(['TWO', 'a', 'b', 'main']);
    expect(variantKey(variant)).toBe('caller+shared.a.b{}');
    expect(() => part(shared, 'c')).toThrow("shared.wgsl has no part 'c'");
  });

  it('keeps ports and constants in the key', () => {
    const variant = { kernel, ports: [part(elem, 'f32')], constants: { WG: u32(64) } };
    expect(variantKey(variant)).toBe(variantKey({ ...variant, constants: { WG: u32(64) } }));
    expect(variantKey(variant)).not.toBe(variantKey({ ...variant, constants: { WG: u32(32) } }));
    expect(variantKey(variant)).not.toBe(variantKey({ ...variant, ports: [part(elem, 'f16')] }));
  });

  it('writes numbers by field name, and misses none', () => {
    const view = new DataView(new ArrayBuffer(48));
    const layout = kernel.structs!['Params']!;
    writeParams(layout, { count: 7, factor: 0.25, axes: [1, 2] }, view, 0);
    expect([
      view.getUint32(0, true),
      view.getFloat32(4, true),
      view.getUint32(16, true),
      view.getUint32(20, true),
    ]).toEqual([7, 0.25, 1, 2]);
    expect(() => writeParams(layout, { count: 7 }, view, 0)).toThrow("params lacks the field 'factor'");
    expect(() => writeParams(layout, { count: [1, 2], factor: 0, axes: [] }, view, 0)).toThrow(
      'params.count holds 1 numbers, got 2',
    );
  });

  it('has no literal for infinity', () => {
    expect(f32(Number.POSITIVE_INFINITY)).toBe('f32(3.4028234663852886e+38)');
  });
});
