import { type Segment, segmentsOf } from './segments.ts';

/** What was heard, step by step: the samples are not kept. */
export class Track {
  readonly probabilities: number[] = [];
  /** The lowest and the highest sample of each step. */
  readonly peaks: (readonly [low: number, high: number])[] = [];

  add(samples: Float32Array, probability: number): void {
    let [low, high] = [0, 0];
    for (const sample of samples) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    this.peaks.push([low, high]);
    this.probabilities.push(probability);
  }

  get segments(): Segment[] {
    return segmentsOf(this.probabilities);
  }
}

/** What of a track is drawn: `count` steps from the first on, which need not have been heard yet. */
export interface View {
  readonly first: number;
  readonly count: number;
}

/** Draws segments as bands, the wave above, the probability below. Colours are the page's. */
export function drawTrack(canvas: HTMLCanvasElement, track: Track, { first, count }: View): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const scale = devicePixelRatio;
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  const x = (step: number): number => ((step - first) / count) * width;
  const [wave, chart] = [
    { middle: height * 0.32, half: height * 0.28 },
    { top: height * 0.68, bottom: height - 1 },
  ];

  context.fillStyle = colour('--tile');
  context.globalAlpha = 0.6;
  for (const { start, end } of track.segments) context.fillRect(x(start), 0, x(end) - x(start), height);
  context.globalAlpha = 1;

  // Of the steps that share a pixel's column the extremes.
  const columns = Math.min(count, Math.max(1, Math.floor(width)));
  const each = count / columns;
  context.fillStyle = colour('--soft');
  const probability = new Path2D();
  for (let column = 0; column < columns; column++) {
    const from = first + Math.floor(column * each);
    const to = Math.min(track.peaks.length, first + Math.max(Math.floor((column + 1) * each), from - first + 1));
    if (from >= to) break;
    const peaks = track.peaks.slice(from, to);
    const [low, high] = [Math.min(...peaks.map(([low]) => low)), Math.max(...peaks.map(([, high]) => high))];
    const [left, wide] = [x(from), Math.max(1, (width / columns) * 0.8)];
    context.fillRect(left, wave.middle - high * wave.half, wide, Math.max(1, (high - low) * wave.half));
    const y = chart.bottom - Math.max(...track.probabilities.slice(from, to)) * (chart.bottom - chart.top);
    probability.lineTo(x(from), y);
    probability.lineTo(x(to), y);
  }
  context.strokeStyle = colour('--line-strong');
  context.setLineDash([2, 4]);
  const half = (chart.top + chart.bottom) / 2;
  context.stroke(new Path2D(`M0 ${half}H${width}`));
  context.setLineDash([]);
  context.strokeStyle = colour('--accent');
  context.lineWidth = 2;
  context.stroke(probability);
}
