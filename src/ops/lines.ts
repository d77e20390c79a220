import line from '../../shaders/lib/line.wgsl';
import floats from '../../shaders/lib/reducer.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part, u32, type WgslFile, type WgslModule } from '../gpu/wgsl.ts';
import { flatGrid } from './define.ts';

export interface LineForm {
  readonly tag: string;
  readonly ports: readonly WgslModule[];
  readonly constants: Readonly<Record<string, string>>;
  readonly grid: readonly [number, number, number];
}

/**
 * The forms of a kernel over lines of `length` elements, the best guess first: an invocation a line (software adapters,
 * short lines), a tree in workgroup memory, subgroups. An invocation walks its share of a line three times at the most.
 * `reducer` has a part for each form that there is: that of floats where absent.
 */
export function lineForms(lines: number, length: number, caps: Caps, reducer: WgslFile = floats): LineForm[] {
  const form = (kind: string, lanes: number, perGroup: number): LineForm => ({
    tag: `${lanes}_${kind}`,
    ports: [part(reducer, kind), line],
    constants: { LANES: u32(lanes), LINES: u32(perGroup) },
    grid: flatGrid(lines, perGroup),
  });
  const serial = form('serial', 1, 32);
  if (length < 32) return [serial];
  const shared = form('workgroup', length >= 1024 ? 256 : 64, 1);
  const subgroup = caps.subgroups && reducer.parts?.['subgroup'] ? [form('subgroup', 64, 1)] : [];
  const alone = caps.software && (caps.longLoops || length < 2 ** 14);
  return alone ? [serial, shared, ...subgroup] : [shared, ...subgroup, serial];
}

/** The form in which no line is shared. */
export const alone = ({ constants }: LineForm): boolean => constants['LANES'] === u32(1);
