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

@compute @workgroup_size(WG)
fn main() {}
`,
);
const elem = file('elem', '//# f32\nalias Elem = f32;\n\n//# f16\nenable f16;\nalias Elem = f16;\n');

describe('the WGSL linker', () => {
  it('reads bindings, structs and parts out of a file, without its comments', () => {
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
    expect(kernel.source).not.toContain('//');
    expect(Object.keys(elem.parts!)).toEqual(['f32', 'f16']);
  });

  it('puts directives first, then constants and uniforms, then the bodies', () => {
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
    expect(locate(main)).toBe('scale.wgsl:8');
    expect(locate(lines.indexOf('alias Elem=f16;') + 1)).toBe('elem.wgsl:6');
    expect(locate(2)).toBe('constants:2');
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
