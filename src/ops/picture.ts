import grid from '../../shaders/lib/grid.wgsl';
import picture from '../../shaders/lib/picture.wgsl';
import columnsKernel from '../../shaders/picture_columns.wgsl';
import rowsKernel from '../../shaders/picture_rows.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { type Candidate, FLAT, flatGrid } from './define.ts';

/** How a picture is bound: the parts of shaders/lib/picture.wgsl. */
export const PICTURE_FORMS = ['texture_2d', 'srgb', 'external', 'bytes'] as const;
export type PictureForm = (typeof PICTURE_FORMS)[number];

/** What the two dispatches do, in numbers. */
export interface PictureWork {
  /** Height and width of the output. */
  readonly size: readonly [height: number, width: number];
  /** The rows of the picture that the output is made of, from `first` on. */
  readonly rows: { readonly first: number; readonly count: number };
  /** Pixels from row to row of a picture in a buffer. */
  readonly stride: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const WG = u32(FLAT);

/**
 * A picture into a model's input [3,H,W], float32 or float16: first along x, then along y. These are no op: a picture is
 * no operand, and its size changes from run to run.
 */
export function pictureCandidates(
  form: PictureForm,
  dataType: 'float32' | 'float16',
  { size: [height, width], rows, stride, mean, std }: PictureWork,
): readonly [columns: Candidate, rows: Candidate] {
  const lines = rows.count * width;
  const area = height * width;
  const perWord = dataType === 'float16' ? 2 : 1;
  return [
    {
      label: `pictureColumns[${form}]`,
      variant: { kernel: columnsKernel, ports: [part(picture, form), grid], constants: { WG } },
      params: { count: lines, columns: width, first_row: rows.first, stride },
      grid: flatGrid(lines, FLAT),
    },
    {
      label: `pictureRows[${dataType}]`,
      variant: { kernel: rowsKernel, ports: [grid], constants: { WG, PER_WORD: u32(perWord) } },
      params: { count: 3 * area, area, columns: width, first_row: rows.first, lines, mean, deviation: std },
      grid: flatGrid(Math.ceil((3 * area) / perWord), FLAT),
    },
  ];
}
