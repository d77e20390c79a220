import { writeNpy } from '../../src/formats/npy.ts';
import type { GraphOutput, GraphTensor, Profile, VerifyReport, VerifyRow } from '../../src/index.ts';
import { NPY, summaryOf, tensorsOf } from '../../src/onnx/exchange.ts';
import { make, makeButton } from '../shared/dom.ts';
import { download } from '../shared/drop.ts';
import { milliseconds, number, percent, whole } from '../shared/format.ts';

/** Values of an output that are shown. */
const FIRST = 6;

type Cell = string | Node;

/** A table that scrolls by itself, and can be reached by keys. */
function scrolling(
  label: string,
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
  name: string,
): HTMLElement {
  const line = (tag: 'th' | 'td', cells: readonly Cell[]) =>
    make('tr', {}, ...cells.map((cell) => make(tag, tag === 'th' ? { scope: 'col' } : {}, cell)));
  const head = make('thead', {}, line('th', titles));
  const body = make('tbody', {}, ...rows.map((cells) => line('td', cells)));
  return make(
    'section',
    { class: 'scroll', tabindex: '0', 'aria-label': label },
    make('table', { class: `figures ${name}` }, head, body),
  );
}

/** Five digits that count. */
const value = (one: number | undefined): string => (one === undefined ? '' : String(Number(one.toPrecision(5))));

function downloadButton(name: string, { type, dims, data }: GraphTensor): HTMLButtonElement {
  const stem = encodeURIComponent(name);
  const npy = NPY[type];
  const save = (): void => {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    if (npy)
      download(`${stem}.npy`, writeNpy({ type: npy, dims, bytes: new Uint8Array(buffer, byteOffset, byteLength) }));
    else download(`${stem}.json`, JSON.stringify({ dims, data }));
  };
  const button = makeButton(npy ? '.npy' : '.json', save);
  button.setAttribute('aria-label', `Save ${name} as ${button.textContent}`);
  return button;
}

/** What a run gave. */
export function outputsOf(outputs: Readonly<Record<string, GraphOutput>>, ms: number): HTMLElement[] {
  const rows = Object.entries(outputs)
    .flatMap(([name, output]) => tensorsOf(name, output))
    .map(([name, tensor]): Cell[] => {
      const { type, dims, data } = tensor;
      const shape = [name, type, `[${dims.join(', ')}]`];
      if (type === 'string')
        return [
          ...shape,
          '',
          '',
          '',
          '',
          (data as readonly string[]).slice(0, FIRST).join(' '),
          downloadButton(name, tensor),
        ];
      const { least, largest, mean, nan, first } = summaryOf(type, data as ArrayLike<number>, FIRST);
      const bad = nan ? make('strong', { class: 'bad' }, whole(nan)) : '0';
      return [
        ...shape,
        value(least),
        value(largest),
        value(mean),
        bad,
        first.map(value).join(' '),
        downloadButton(name, tensor),
      ];
    });
  const titles = ['Output', 'Type', 'Dimensions', 'Least', 'Largest', 'Mean', 'NaN', 'First values', 'Save'];
  return [
    make(
      'div',
      { class: 'heading' },
      make('h2', {}, 'Outputs'),
      make('span', { class: 'soft small numbers' }, milliseconds(ms)),
    ),
    scrolling('Table of outputs', titles, rows, 'outputs'),
  ];
}

/** Dispatches that are shown at first. */
const MOST_ROWS = 40;

/** Dispatches by their time, the longest first. */
export function costsOf({ rows, timestamps, sumMs, runMs, rounds, adapter }: Profile): HTMLElement[] {
  const heading = make(
    'div',
    { class: 'heading' },
    make('h2', {}, 'What each node costs'),
    make('span', { class: 'soft small numbers' }, `${milliseconds(runMs)} a run`),
  );
  if (!timestamps)
    return [
      heading,
      make(
        'div',
        { class: 'notice' },
        make('strong', {}, 'No times of single nodes'),
        make('p', {}, 'This browser gives no timestamps of the GPU (timestamp-query).'),
      ),
    ];
  const most = Math.max(...rows.map(({ ms }) => ms));
  const sorted = [...rows].sort((a, b) => b.ms - a.ms);
  const cells = sorted.map(({ label, kernel, shape, ms, share, gflops, gbps }): Cell[] => [
    label,
    make(
      'span',
      { class: 'timed' },
      make('span', { class: 'length', style: `--share: ${most > 0 ? ms / most : 0}` }),
      number(ms),
    ),
    percent(share),
    gflops ? number(gflops) : '',
    number(gbps),
    kernel,
    shape,
  ]);
  const table = (lines: readonly (readonly Cell[])[]): HTMLElement =>
    scrolling('Table of times', ['Node', 'ms', 'Share', 'GFLOPS', 'GB/s', 'Kernel', 'Shapes'], lines, 'costs');
  const first = table(cells.slice(0, MOST_ROWS));
  const all = makeButton(`Show all ${whole(cells.length)}`, () => {
    first.replaceWith(table(cells));
    all.remove();
  });
  return [
    heading,
    first,
    ...(cells.length > MOST_ROWS ? [all] : []),
    make(
      'p',
      { class: 'soft small notes' },
      `Median of ${whole(rounds)} rounds on ${adapter}. Each dispatch in a pass of its own: ${milliseconds(sumMs)} together. GFLOPS and GB/s are of what the kernel does.`,
    ),
  ];
}

/** A wrong kernel: what is off, and what took its place. */
function fault({ variant, shape, fault: what, replacedBy, label }: VerifyRow): HTMLElement {
  const after =
    replacedBy === undefined
      ? ['; nothing can take its place.']
      : ['; replaced by ', make('code', {}, replacedBy), '.'];
  return make('li', {}, make('strong', {}, label), ' ', make('code', {}, variant), ` on ${shape}: ${what}`, ...after);
}

/** The verdict, and the first node that is off; `save` writes that node, where it can be. */
export function verdictOf(
  { rows, passed, ms }: VerifyReport,
  save: ((label: string) => unknown) | undefined,
): HTMLElement[] {
  const wrong = rows.filter(({ verdict }) => verdict !== 'right');
  const kernels = new Set(rows.map(({ variant }) => variant)).size;
  const done = `${whole(kernels)} kernels on ${whole(rows.length)} shapes in ${milliseconds(ms)}, each against a reference in double precision.`;
  const [first] = wrong;
  return [
    make('h2', {}, passed ? 'What runs here is right' : 'Results on this device cannot be trusted'),
    make('p', { class: 'soft' }, done),
    ...(first
      ? [
          make(
            'div',
            { class: passed ? 'notice' : 'notice bad' },
            make('strong', {}, `The first node that is off: ${first.label}`),
            make('ul', { class: 'faults' }, ...wrong.map(fault)),
            ...(save
              ? [
                  make(
                    'div',
                    { class: 'row' },
                    makeButton('Save this node as .onnx', () => save(first.label)),
                  ),
                ]
              : []),
          ),
        ]
      : []),
  ];
}
