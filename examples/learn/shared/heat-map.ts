import { colourOf, GREY, onScheme, ramp } from './colours.ts';

/** Numbers in rows; NaN is left blank. */
export interface Grid {
  readonly values: ArrayLike<number>;
  readonly columns: number;
  /** What has the full colour; the largest magnitude where absent. */
  readonly most?: number;
  /** From black to white, as what is light and dark. */
  readonly grey?: boolean;
  /** What the picture shows, for those who do not see it. */
  readonly label: string;
}

/** Numbers as colours: a pixel a number, which CSS makes large. Blue is above zero, orange below. */
export class HeatMap {
  #grid: Grid | undefined;

  constructor(readonly canvas: HTMLCanvasElement) {
    canvas.setAttribute('role', 'img');
    onScheme(() => this.#grid && this.show(this.#grid));
  }

  show(grid: Grid): void {
    this.#grid = grid;
    const { values, columns, label } = grid;
    const rows = Math.ceil(values.length / columns);
    const image = new ImageData(columns, rows);
    const colours = grid.grey ? GREY : ramp();
    const most = grid.most ?? largest(values);
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i]!)) continue;
      image.data.set(colourOf(most ? values[i]! / most : 0, colours), 4 * i);
      image.data[4 * i + 3] = 255;
    }
    Object.assign(this.canvas, { width: columns, height: rows });
    this.canvas.getContext('2d')!.putImageData(image, 0, 0);
    this.canvas.setAttribute('aria-label', label);
  }
}

/** The largest magnitude among numbers. */
export const largest = (values: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > most) most = Math.abs(values[i]!);
  return most;
};

/** Pictures of `side` × `side` numbers, one after the other in `values`, as tiles with a line between them. */
export function tiles(
  values: ArrayLike<number>,
  side: number,
  across: number,
): { values: Float32Array; columns: number } {
  const count = values.length / (side * side);
  const columns = across * (side + 1) - 1;
  const down = Math.ceil(count / across);
  const all = new Float32Array(columns * (down * (side + 1) - 1)).fill(Number.NaN);
  for (let i = 0; i < values.length; i++) {
    const [tile, pixel] = [Math.floor(i / (side * side)), i % (side * side)];
    const x = (tile % across) * (side + 1) + (pixel % side);
    const y = Math.floor(tile / across) * (side + 1) + Math.floor(pixel / side);
    all[y * columns + x] = values[i]!;
  }
  return { values: all, columns };
}
