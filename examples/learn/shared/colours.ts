type Rgb = readonly [number, number, number];

/** The colours that numbers are drawn in, as the page's scheme has them. */
export interface Ramp {
  readonly zero: Rgb;
  readonly positive: Rgb;
  readonly negative: Rgb;
}

const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;

function rgb(name: string): Rgb {
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return [r!, g!, b!];
}

/** Of pictures, whose numbers are light. */
export const GREY: Ramp = { zero: [0, 0, 0], positive: [255, 255, 255], negative: [0, 0, 0] };

/** Zero is sunken, above is blue, below is orange. */
export const ramp = (): Ramp => ({ zero: rgb('--sunken'), positive: rgb('--series-1'), negative: rgb('--series-2') });

/** The colour of a share of the most, -1 to 1. */
export function colourOf(share: number, { zero, positive, negative }: Ramp): Rgb {
  const end = share < 0 ? negative : positive;
  const part = Math.min(1, Math.abs(share));
  return zero.map((from, i) => from + (end[i]! - from) * part) as unknown as Rgb;
}

/** Calls `redraw` when the page goes from light to dark, or back. */
export const onScheme = (redraw: () => void): void =>
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
