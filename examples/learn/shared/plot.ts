import { make, svg } from '../../shared/dom.ts';

/** A direction of a plot. */
export interface Axis {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Where it has a line with a number. */
  readonly ticks: readonly number[];
  readonly said?: (value: number) => string;
  /** Equal steps are equal factors. */
  readonly log?: boolean;
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Which of the page's colours: 1 to 4. */
  readonly series: number;
  readonly dashed?: boolean;
}

export interface PlotData {
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** A point that stands out. */
  readonly mark?: readonly [x: number, y: number];
  readonly label: string;
}

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 10, 24, 40];

/** Where a number of an axis lies between 0 and 1. */
const shareOf = ({ from, to, log }: Axis, value: number): number =>
  log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);

/** Lines over two axes, as wide as their place, whose height CSS gives. */
export class Plot {
  #data: PlotData | undefined;

  constructor(readonly place: HTMLElement) {
    place.classList.add('plot');
    new ResizeObserver(() => this.#draw()).observe(place);
  }

  show(data: PlotData): void {
    this.#data = data;
    this.#draw();
  }

  #draw(): void {
    if (!this.#data) return;
    const { x, y, lines, mark, label } = this.#data;
    const [width, height] = [this.place.clientWidth, this.place.clientHeight];
    const legend = make(
      'ul',
      { class: 'legend', 'aria-hidden': 'true' },
      ...lines.map(({ name, series, dashed }) =>
        make('li', { class: dashed ? `series-${series} dashed` : `series-${series}` }, name),
      ),
    );
    const chart = svg('svg', { role: 'img', 'aria-label': label });
    this.place.replaceChildren(...(lines.length > 1 ? [legend] : []), chart);
    const [w, h] = [width - LEFT - RIGHT, height - legend.offsetHeight - TOP - BOTTOM];
    if (w <= 0 || h <= 0) return;
    chart.setAttribute('viewBox', `0 0 ${width} ${h + TOP + BOTTOM}`);
    const px = (value: number): number => LEFT + w * shareOf(x, value);
    const py = (value: number): number => TOP + h * (1 - shareOf(y, value));
    const inside = (value: number): number => Math.max(TOP - 2 * h, Math.min(TOP + 3 * h, py(value)));
    chart.append(
      ...x.ticks.flatMap((tick) => [
        svg('line', { class: tick === 0 ? 'zero' : 'grid', x1: px(tick), x2: px(tick), y1: TOP, y2: TOP + h }),
        svg('text', { x: px(tick), y: TOP + h + 16, 'text-anchor': 'middle' }, (x.said ?? String)(tick)),
      ]),
      ...y.ticks.flatMap((tick) => [
        svg('line', { class: tick === 0 ? 'zero' : 'grid', x1: LEFT, x2: LEFT + w, y1: py(tick), y2: py(tick) }),
        svg('text', { x: LEFT - 6, y: py(tick) + 4, 'text-anchor': 'end' }, (y.said ?? String)(tick)),
      ]),
      svg('text', { class: 'name', x: LEFT + w, y: TOP + h + 34, 'text-anchor': 'end' }, x.name),
      svg('text', { class: 'name', x: 4, y: 12 }, y.name),
      // What goes beyond the axes is cut off there.
      svg(
        'svg',
        { x: LEFT, y: TOP, width: w, height: h, viewBox: `${LEFT} ${TOP} ${w} ${h}` },
        ...lines.map(({ points, series, dashed }) =>
          svg('polyline', {
            class: dashed ? `line series-${series} dashed` : `line series-${series}`,
            points: points.map(([a, b]) => `${px(a).toFixed(1)},${inside(b).toFixed(1)}`).join(' '),
          }),
        ),
      ),
      ...(mark ? [svg('circle', { class: 'mark', cx: px(mark[0]), cy: inside(mark[1]), r: 5 })] : []),
    );
  }
}
