import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';

function resize(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const late = call.opset >= 11;
  const transform = call.text('coordinate_transformation_mode', late ? 'half_pixel' : 'asymmetric');
  const given = call.ints('axes', undefined) ?? shape.map((_, d) => d);
  const axes = given.map((axis) => call.axis(axis, shape.length));
  const place = late ? 2 : 1;
  const list = (i: number): number[] | undefined => {
    const tensor = call.optional(i);
    return tensor && elementCount(tensor.shape) ? call.numbers(i) : undefined;
  };
  const asked = list(3);
  const policy = call.choice('keep_aspect_ratio_policy', 'stretch', ['stretch', 'not_larger', 'not_smaller']);
  const ratios = asked && policy !== 'stretch' ? axes.map((axis, i) => asked[i]! / shape[axis]!) : undefined;
  const ratio = ratios && (policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios));
  const sizes = ratio === undefined ? asked : axes.map((axis) => Math.round(shape[axis]! * ratio));
  const scales = ratio === undefined ? list(place) : axes.map(() => ratio);
  const crops = transform === 'tf_crop_and_resize';
  const roi = late && crops ? list(1) : undefined;
  if (!late) call.skip('scales');
  // TensorFlow's transformation of opset 11 is half a pixel further: rounded down, it is half_pixel rounded.
  const old = transform === 'tf_half_pixel_for_nn';
  const rounding = call.text('nearest_mode', late ? 'round_prefer_floor' : 'floor');
  if (old && rounding !== 'floor') call.unsupported(`tf_half_pixel_for_nn with the nearest_mode ${rounding}`);
  const options = {
    axes,
    ...(sizes && { sizes }),
    ...(scales && (!asked || ratio !== undefined) && { scales }),
    ...(roi && { roi }),
    mode: call.text('mode', 'nearest'),
    coordinateTransformation: old ? 'half_pixel' : transform,
    nearestMode: old ? 'round_prefer_ceil' : rounding,
    cubicCoefficient: call.float('cubic_coeff_a', -0.75),
    excludeOutside: call.flag('exclude_outside'),
    extrapolationValue: call.float('extrapolation_value', 0),
    antialias: call.flag('antialias'),
  };
  return call.made(call.add('resize', { input: call.operand(0) }, options));
}

function upsample(call: Call): Tensor {
  const scales = call.opset < 9 ? (call.floats('scales') ?? call.fail('scales are missing')) : call.numbers(1);
  const mode = call.choice('mode', 'nearest', ['nearest', 'linear']);
  const options = { scales, mode, coordinateTransformation: 'asymmetric', nearestMode: 'floor' };
  return call.made(call.add('resize', { input: call.operand(0) }, options));
}

export const RESIZE: Readonly<Record<string, Lowering>> = {
  Resize: resize,
  Upsample: upsample,
};
