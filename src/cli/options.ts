import { InvalidArgumentError } from 'commander';
import {
  GROUP_SIZES,
  type GroupSize,
  WEIGHT_TYPES,
  type WeightType,
  type WeightTypes,
} from '../graph/passes/weight_types.ts';

type Parser = (text: string) => number;

/** A number that satisfies a condition; the words say which. */
function number(words: string, holds: (value: number) => boolean): Parser {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!holds(value)) throw new InvalidArgumentError(`Expected ${words}.`);
    return value;
  };
}

export const positiveInteger = number('a whole number from 1 on', (value) => Number.isSafeInteger(value) && value >= 1);
export const wholeNumber = number('a whole number from 0 on', (value) => Number.isSafeInteger(value) && value >= 0);
export const port = number('a port, 0 to 65535', (value) => Number.isInteger(value) && value >= 0 && value <= 65535);
export const temperature = number('a number from 0 on', (value) => value >= 0 && Number.isFinite(value));
export const probability = number('a number above 0 and up to 1', (value) => value > 0 && value <= 1);
export const fraction = number('a number from 0 up to but not 1', (value) => value >= 0 && value < 1);
export const percentage = number('a number above 0 and up to 100', (value) => value > 0 && value <= 100);

/** `int8`, or `int8,fc=float32,h.0=float16`: the type of all layers, then those of some. */
export function weightTypes(text: string): WeightTypes {
  const [all, ...some] = text.split(',').map((part) => part.trim());
  const typeOf = (name: string | undefined): WeightType => {
    const type = WEIGHT_TYPES.find((known) => known === name);
    if (!type) throw new InvalidArgumentError(`'${name}' is none of ${WEIGHT_TYPES.join(', ')}.`);
    return type;
  };
  if (!some.length) return typeOf(all);
  const layers = some.map((part) => {
    const [layer, type] = part.split('=');
    if (!layer || part.split('=').length !== 2) throw new InvalidArgumentError(`Expected layer=type, got '${part}'.`);
    return [layer, typeOf(type)];
  });
  return { ...Object.fromEntries(layers), default: typeOf(all) };
}

/** `batch=1,sequence=8`: numbers for dimensions; `?` are those without a name. Options that are repeated add up. */
export function dimensions(text: string, earlier: Readonly<Record<string, number>> = {}): Record<string, number> {
  const added = text.split(',').map((part): [string, number] => {
    const at = part.lastIndexOf('=');
    const name = part.slice(0, Math.max(at, 0)).trim();
    if (!name) throw new InvalidArgumentError(`Expected name=number, got '${part}'.`);
    return [name === '?' ? '' : name, wholeNumber(part.slice(at + 1))];
  });
  return { ...earlier, ...Object.fromEntries(added) };
}

export function groupSize(text: string): GroupSize {
  const size = GROUP_SIZES.find((known) => String(known) === text);
  if (!size) throw new InvalidArgumentError(`Expected one of ${GROUP_SIZES.join(', ')}.`);
  return size;
}

/** GPUs that kernels are planned for without having one: they differ in how much an invocation keeps in registers. */
export const PLANNED_GPUS = ['intel', 'amd'] as const;
export type PlannedGpu = (typeof PLANNED_GPUS)[number];
