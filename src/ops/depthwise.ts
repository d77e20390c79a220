import depthwiseKernel from '../../shaders/conv2d_depthwise.wgsl';
import stripKernel from '../../shaders/conv2d_depthwise_3x3.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { type ParamValues, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { type Candidate, ELEM, FLAT, flatGrid } from './define.ts';
import { epilogueName, epiloguePorts } from './epilogue.ts';
import { type Depthwise, lateKernels } from './late_kernels.ts';
import { weightPorts, weightTags } from './weights.ts';

/** Kernels of a convolution of a channel at a time, best guess first. */
export function depthwiseCandidates(
  { images, channels, window: [kh, kw], out, options, dataType, weights, epilogue, bind }: Depthwise,
  caps: Caps,
): Candidate[] {
  const unit = channels % 4 === 0 ? 'vec4' : 'ragged';
  const name = ELEM[dataType]!;
  const { ports, constants } = epiloguePorts(epilogue, weights, unit);
  const tags = [name, ...weightTags(weights), ...(unit === 'ragged' ? ['ragged'] : []), epilogueName(epilogue)];
  const depthwise = (kernel: WgslModule, counts: ParamValues, quads: number, more = {}): Candidate => ({
    label: `${kernel.name}[${tags.join()}]`,
    variant: {
      kernel,
      ports: [
        grid,
        windowStruct,
        part(elem, name),
        part(operandA, unit),
        ...weightPorts(weights, unit, caps),
        ...ports,
      ],
      constants: { WG: u32(FLAT), ...more, ...constants },
    },
    params: { channels, ...counts, ...out.params },
    grid: flatGrid(quads * Math.ceil(channels / 4), FLAT),
    bind,
  });
  const across = (pixels: number): number => Math.ceil(out.w / pixels);
  const lines = images * out.h;
  const [, bottom = 0, left = 0, right = 0] = options.padding ?? [];
  const [stride = 1, dilation = 1] = [options.strides?.[1], options.dilations?.[1]];
  const moves = stride === 1 && dilation === 1 ? 'slides' : 'steps';
  const byLine = depthwise(part(depthwiseKernel, moves), { lines }, lines * across(4));
  const lean = name === 'f32' && weights.kind === 'dense' && unit === 'vec4';
  const along = { width: out.w, kernel: kw, stride, dilation, left, right, lean };
  const form = lateKernels.depthwiseRows?.(along, caps);
  const strips = form ? lines * across(form.pixels) : 0;
  const rows = form ? [depthwise(form.kernel, { strips }, strips, form.constants)] : [];
  const anyWindow = caps.software ? [byLine, ...rows] : [...rows, byLine];

  const turns = caps.longKernels ? 2 : 1;
  const whole = out.h - bottom;
  const inStrips = (): Candidate => {
    // Long strips read less. Short strips make more invocations, which a GPU needs.
    const bands = Math.ceil(whole / (caps.software ? 28 : 4));
    const rows = turns * Math.min(Math.ceil(whole / bands / turns), Math.floor(whole / turns));
    const strips = images * Math.ceil(whole / rows) * across(4);
    return depthwise(stripKernel, { strips, rows, whole }, strips, { TURNS: u32(turns) });
  };
  const plain = [...(options.strides ?? []), ...(options.dilations ?? [])].every((step) => step === 1);
  const thin = (options.padding ?? []).every((length) => length <= 1);
  const fits = kh === 3 && kw === 3 && plain && thin && out.w >= 4 && whole >= turns && caps.manyRegisters;
  return [...(fits ? [inStrips()] : []), ...anyWindow];
}
