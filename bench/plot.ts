import type uPlot from 'uplot';
import { number } from '../examples/shared/format.ts';
import type { BenchDataType, BenchRow } from './report.ts';

const COLOURS: Record<BenchDataType, string> = {
  float32: '--series-1',
  float16: '--series-3',
  int8: '--series-2',
  int4: '--series-2',
  w8a8: '--series-4',
};
const HEIGHT = 300;

export interface PlotData {
  readonly labels: readonly string[];
  /** GFLOPS of each label; null where it was not measured. */
  readonly series: ReadonlyMap<BenchDataType, readonly (number | null)[]>;
}

/** Rows as lines: a label a position, a type a line. */
export function plotData(rows: readonly BenchRow[], label: (row: BenchRow) => string): PlotData {
  const labels = [...new Set(rows.map(label))];
  const types = [...new Set(rows.map(({ dtype }) => dtype))];
  const at = (type: BenchDataType, name: string): number | null =>
    rows.find((row) => row.dtype === type && label(row) === name)?.gflops ?? null;
  return { labels, series: new Map(types.map((type) => [type, labels.map((name) => at(type, name))])) };
}

/** A plot of GFLOPS that follows the width of its place and the colours of the page. */
export class Plot {
  #plot: uPlot | undefined;
  #data: PlotData | undefined;

  constructor(
    readonly place: HTMLElement,
    /** Lines for sizes, which have an order; bars for layers, which have none. */
    readonly kind: 'lines' | 'bars',
  ) {
    new ResizeObserver(() => {
      if (this.#plot && this.#plot.width !== place.clientWidth) void this.#redraw();
    }).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void this.#redraw());
  }

  async show(data: PlotData): Promise<void> {
    this.#data = data;
    await this.#redraw();
  }

  async #redraw(): Promise<void> {
    const [{ default: UPlot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
    if (!this.#data) return;
    this.#plot?.destroy();
    this.#plot = new UPlot(
      this.#options(this.#data, UPlot),
      [this.#data.labels.map((_, i) => i), ...this.#data.series.values()] as uPlot.AlignedData,
      this.place,
    );
    const canvas = this.place.querySelector('canvas');
    canvas?.setAttribute('role', 'img');
    canvas?.setAttribute(
      'aria-label',
      `Plot of GFLOPS: ${this.#data.labels.join(', ')}. The table below has the figures.`,
    );
  }

  #options({ labels, series }: PlotData, { paths }: typeof uPlot): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const strokes = [...series.keys()].map((type) => colour(COLOURS[type]));
    const font = `12px ${colour('--sans')}`;
    const axis = {
      stroke: colour('--soft'),
      font,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: this.kind === 'lines', size: 9, fill: (_, i) => strokes[i - 1] ?? '' },
      },
      legend: { live: true },
      scales: {
        x: { time: false, range: [-0.5, labels.length - 0.5] },
        y: { range: (_, __, most) => [0, most * 1.12 || 1] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          splits: labels.map((_, i) => i),
          values: (_, at) => at.map((i) => labels[i] ?? ''),
          ...this.#fit(labels),
        },
        { ...axis, size: 52, values: (_, at) => at.map((value) => (value ? number(value) : '0')) },
      ],
      series: [
        { label: 'At', value: (_, i) => labels[i] ?? '–' },
        ...[...series.keys()].map((type, i): uPlot.Series => {
          const stroke = strokes[i]!;
          return {
            label: type,
            stroke,
            value: (_, value) => (value === null || value === undefined ? '–' : `${number(value)} GFLOPS`),
            ...(this.kind === 'lines'
              ? { width: 2, points: { show: true, size: 8, fill: colour('--raised'), stroke, width: 2 } }
              : {
                  width: 0,
                  fill: stroke,
                  points: { show: false },
                  paths: paths.bars?.(barsOf(i, series.size, labels)),
                }),
          };
        }),
      ],
    };
  }

  /** Names that are too long to lie side by side stand aslant. */
  #fit(labels: readonly string[]): Partial<uPlot.Axis> {
    const room = (this.place.clientWidth - 60) / labels.length;
    const longest = Math.max(...labels.map(({ length }) => length)) * 6.6;
    if (longest < room) return { size: 32 };
    const rotate = room < 34 ? 60 : 38;
    return { size: 20 + longest * Math.sin((rotate * Math.PI) / 180), rotate };
  }
}

/** Where the bars of one of several series stand: side by side around each position. */
function barsOf(series: number, of: number, labels: readonly string[]): uPlot.Series.BarsPathBuilderOpts {
  const width = Math.min(0.3, 0.72 / of);
  const left = (series - of / 2) * width;
  const inScale = 1; // uPlot.Series.BarsPathBuilderFacetUnit.ScaleValue
  return {
    radius: [0.16, 0],
    disp: {
      x0: { unit: inScale, values: () => labels.map((_, i) => i + left) },
      size: { unit: inScale, values: () => labels.map(() => width * 0.9) },
    },
  };
}
