import { make, svg } from './dom.ts';
import { type ChartAxis, type Scale, scaleOf } from './scale.ts';

/** A point of a chart. */
export interface ChartMark {
  readonly x: number;
  readonly y: number;
  /** What it stands for, in words with all figures: told where it is pointed at or focused. */
  readonly text: string;
}

/** Marks that belong together. */
export interface ChartSeries {
  readonly name: string;
  /** A custom property of the page's style: `--series-1`. */
  readonly colour: string;
  /** The marks are joined in their order; as steps, a mark's level holds until the next. */
  readonly line?: 'straight' | 'steps';
  readonly marks: readonly ChartMark[];
}

/** A line without marks, such as a roof; its name stands in the legend. */
export interface ChartRule {
  readonly name: string;
  readonly colour: string;
  /** Ends of its parts; infinite ones end at the edge of the plot. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A stretch of the x axis with a name, drawn in a lane below the plot. */
export interface ChartSpan {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  readonly text: string;
}

/** What a chart shows. */
export interface ChartData {
  /** What it is a picture of: its name for readers of screens. */
  readonly label: string;
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly series: readonly ChartSeries[];
  readonly rules?: readonly ChartRule[];
  readonly spans?: readonly ChartSpan[];
}

const HEIGHT = 300;
const EDGE = { top: 10, right: 14, bottom: 40, left: 56 };
const LANE = 14;
/** Pixels of a letter of an axis, at most. */
const LETTER = 6.8;
const HINT = 'Point at a mark, or step through them with the arrow keys.';
/** A shape a series, so that colours are not alone in telling them apart. */
const SHAPES = [
  'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z',
  'M-3.6-3.6h7.2v7.2h-7.2Z',
  'M0-5 4.8 3.6h-9.6Z',
  'M0-5 5 0 0 5-5 0Z',
  'M0 5-4.8-3.6h9.6Z',
  'M-1.5-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z',
];

const near = (value: number): number => Math.round(value * 10) / 10;

/** A mark or a span, where it lies. */
interface Target {
  readonly at: readonly [x: number, y: number];
  readonly group: number;
  readonly text: string;
  readonly element: Element;
}

/**
 * A plot as SVG that follows the width of its place, with a legend, a line that tells the mark that is pointed at or
 * focused, and a table of all marks. It takes the colours of the page. Its size never depends on what it shows.
 */
export class Chart {
  readonly #frame = make('div', { class: 'chart-frame', tabindex: 0, role: 'group' });
  readonly #legend = make('ul', { class: 'chart-legend' });
  readonly #readout = make('p', { class: 'chart-readout', role: 'status' }, HINT);
  readonly #table = make('details', { class: 'chart-table' }, make('summary', {}, 'As a table'));
  #data: ChartData | undefined;
  #targets: Target[] = [];
  #active: Target | undefined;
  #width = 0;

  constructor(readonly place: HTMLElement) {
    place.classList.add('chart');
    place.replaceChildren(this.#legend, this.#frame, this.#readout, this.#table);
    new ResizeObserver(() => {
      if (this.#frame.clientWidth !== this.#width) this.#draw();
    }).observe(this.#frame);
    this.#frame.addEventListener('pointermove', (event) => this.#point(event));
    this.#frame.addEventListener('pointerleave', () => this.#choose(undefined));
    this.#frame.addEventListener('blur', () => this.#choose(undefined));
    this.#frame.addEventListener('keydown', (event) => this.#step(event));
    this.#table.addEventListener('toggle', () => this.#tabulate());
  }

  show(data: ChartData): void {
    this.#data = data;
    this.#frame.setAttribute('aria-label', `${data.label}. The arrow keys step through its marks.`);
    const named = [
      ...data.series.map(({ name, colour }, i) => ({ name, colour, path: SHAPES[i % SHAPES.length]! })),
      ...(data.rules ?? []).map(({ name, colour }) => ({
        name,
        colour,
        path: 'M-7-1H-3V1H-7ZM-1-1H3V1H-1ZM5-1H8V1H5Z',
      })),
    ];
    this.#legend.replaceChildren(
      ...named.map(({ name, colour, path }) =>
        make(
          'li',
          {},
          svg(
            'svg',
            { viewBox: '-8 -8 16 16', 'aria-hidden': 'true' },
            svg('path', { d: path, style: `fill:var(${colour})` }),
          ),
          name,
        ),
      ),
    );
    this.#draw();
    this.#tabulate();
  }

  #draw(): void {
    const data = this.#data;
    this.#width = this.#frame.clientWidth;
    if (!data || this.#width < 120) return;
    const lane = data.spans?.length ? LANE + 6 : 0;
    const bottom = HEIGHT - EDGE.bottom - lane;
    const marks = data.series.flatMap((series) => series.marks);
    const rules = (data.rules ?? []).flatMap(({ points }) => points);
    const spans = (data.spans ?? []).flatMap(({ from, to }) => [from, to]);
    const x = scaleOf(data.x, [...marks.map((mark) => mark.x), ...spans], [EDGE.left, this.#width - EDGE.right]);
    const y = scaleOf(data.y, [...marks.map((mark) => mark.y), ...rules.map((point) => point[1])], [bottom, EDGE.top]);
    this.#targets = [];
    this.#active = undefined;
    this.#readout.textContent = HINT;
    const picture = svg('svg', {
      viewBox: `0 0 ${this.#width} ${HEIGHT}`,
      width: this.#width,
      height: HEIGHT,
      'aria-hidden': 'true',
    });
    picture.append(...this.#axes(data, x, y, bottom + lane));
    for (const { points, colour } of data.rules ?? []) {
      const path = points.map(([a, b]) => `${near(x.clamp(a))} ${near(y.clamp(b))}`).join('L');
      picture.append(svg('path', { class: 'rule', d: `M${path}`, style: `stroke:var(${colour})` }));
    }
    for (const [group, series] of data.series.entries()) picture.append(...this.#series(series, group, x, y));
    for (const span of data.spans ?? []) picture.append(this.#span(span, data.series.length, x, bottom + 6));
    this.#frame.replaceChildren(picture);
  }

  #axes(
    { x: { title: below, format: told }, y: { title: beside, format } }: ChartData,
    x: Scale,
    y: Scale,
    floor: number,
  ): Element[] {
    const lines = y.ticks.flatMap((tick) => {
      const at = near(y.at(tick));
      return [
        svg('path', { class: 'grid', d: `M${EDGE.left} ${at}H${this.#width - EDGE.right}` }),
        svg('text', { x: EDGE.left - 8, y: at + 4, 'text-anchor': 'end' }, format(tick)),
      ];
    });
    let free = 0;
    const labels = x.ticks.flatMap((tick) => {
      const [at, half] = [near(x.at(tick)), (told(tick).length * LETTER) / 2];
      const from = Math.min(at - half, this.#width - 2 * half);
      if (from < free) return [];
      free = from + 2 * half + 8;
      return [svg('text', { x: near(from + half), y: floor + 17, 'text-anchor': 'middle' }, told(tick))];
    });
    const right = this.#width - EDGE.right;
    return [
      ...lines,
      ...labels,
      svg('text', { class: 'title', x: right, y: HEIGHT - 5, 'text-anchor': 'end' }, `${below} →`),
      svg('text', { class: 'title', x: 2, y: HEIGHT - 5 }, `↑ ${beside}`),
    ];
  }

  #series({ marks, colour, line }: ChartSeries, group: number, x: Scale, y: Scale): Element[] {
    const places = marks.map((mark) => [near(x.at(mark.x)), near(y.at(mark.y))] as const);
    const joined = places
      .map(([a, b], i) => (i === 0 ? `M${a} ${b}` : line === 'steps' ? `H${a}V${b}` : `L${a} ${b}`))
      .join('');
    return [
      ...(line ? [svg('path', { class: 'line', d: joined, style: `stroke:var(${colour})` })] : []),
      ...marks.map(({ text }, i) => {
        const at = places[i]!;
        const transform = `translate(${at[0]} ${at[1]})`;
        const element = svg('path', {
          class: 'mark',
          d: SHAPES[group % SHAPES.length]!,
          transform,
          style: `fill:var(${colour})`,
        });
        this.#targets.push({ at, group, text, element });
        return element;
      }),
    ];
  }

  #span({ from, to, colour, text }: ChartSpan, group: number, x: Scale, top: number): Element {
    const [left, right] = [x.at(from), x.at(to)];
    const width = Math.max(2, near(right - left - 1));
    const element = svg('rect', {
      class: 'span',
      x: near(left),
      y: top,
      width,
      height: LANE,
      rx: 2,
      style: `fill:var(${colour})`,
    });
    this.#targets.push({ at: [left + width / 2, top + LANE / 2], group, text, element });
    return element;
  }

  #choose(target: Target | undefined): void {
    if (target === this.#active) return;
    this.#active?.element.classList.remove('active');
    this.#active = target;
    target?.element.classList.add('active');
    target?.element.parentNode?.append(target.element); // above its neighbours
    this.#readout.textContent = target?.text ?? HINT;
  }

  #point({ clientX, clientY }: PointerEvent): void {
    const { left, top } = this.#frame.getBoundingClientRect();
    const distance = ({ at }: Target): number => Math.hypot(at[0] - clientX + left, at[1] - clientY + top);
    const nearest = this.#targets.reduce<Target | undefined>(
      (best, target) => (best && distance(best) <= distance(target) ? best : target),
      undefined,
    );
    this.#choose(nearest && distance(nearest) < 60 ? nearest : undefined);
  }

  /** Left and right step through the marks of a series, up and down through the series. */
  #step(event: KeyboardEvent): void {
    const group = this.#active?.group ?? 0;
    const own = this.#targets.filter((target) => target.group === group);
    const at = this.#active ? own.indexOf(this.#active) : -1;
    const beside = (by: number): Target | undefined => {
      const groups = [...new Set(this.#targets.map((target) => target.group))];
      const other = groups[groups.indexOf(group) + by];
      const from = this.#active?.at[0] ?? 0;
      return this.#targets
        .filter((target) => target.group === other)
        .sort((a, b) => Math.abs(a.at[0] - from) - Math.abs(b.at[0] - from))[0];
    };
    const moves: Record<string, () => Target | undefined> = {
      ArrowRight: () => own[at + 1] ?? beside(1),
      ArrowLeft: () => own[at - 1] ?? beside(-1),
      ArrowDown: () => beside(1),
      ArrowUp: () => beside(-1),
      Home: () => this.#targets[0],
      End: () => this.#targets.at(-1),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.#choose(move() ?? this.#active ?? this.#targets[0]);
  }

  /** The table is made when it is opened. */
  #tabulate(): void {
    this.#table.querySelector('.scroll')?.remove();
    const data = this.#data;
    if (!data || !this.#table.open) return;
    const rows = data.series.flatMap(({ name, marks }) =>
      marks.map((mark) => [name, data.x.format(mark.x), data.y.format(mark.y), mark.text]),
    );
    const all = [...rows, ...(data.spans ?? []).map(({ from, text }) => ['', data.x.format(from), '', text])];
    const head = ['Series', data.x.title, data.y.title, 'In words'];
    this.#table.append(
      make(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Table: ${data.label}` },
        make(
          'table',
          { class: 'figures' },
          make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
          make('tbody', {}, ...all.map((cells) => make('tr', {}, ...cells.map((text) => make('td', {}, text))))),
        ),
      ),
    );
  }
}
