import { make } from '../examples/shared/dom.ts';
import { number, whole } from '../examples/shared/format.ts';
import type { BenchRow } from './report.ts';

/** One line of the table of results. */
export function tableRow({ name, shape, dtype, ms, gflops, gbps, rate }: BenchRow): HTMLTableRowElement {
  const cells = [
    name,
    shape,
    dtype,
    number(ms.median),
    `${number(ms.p10)}–${number(ms.p90)}`,
    whole(ms.n),
    number(gflops),
    number(gbps),
  ];
  const last = rate ? `${number(rate.value)} ${rate.unit}` : '';
  return make('tr', {}, ...[...cells, last].map((text, i) => make('td', i === 6 ? { class: 'main' } : {}, text)));
}

interface Headline {
  readonly title: string;
  readonly value: number;
  readonly unit: string;
}

/** The best figure of each suite, for those who read no table. */
export function headlines(rows: readonly BenchRow[]): HTMLElement[] {
  const best = (title: string, unit: string, of: (row: BenchRow) => number | undefined): Headline[] => {
    const values = rows.map(of).filter((value) => value !== undefined);
    return values.length ? [{ title, unit, value: Math.max(...values) }] : [];
  };
  const list = [
    ...best('Matrix product, float32', 'GFLOPS', ({ suite, dtype, gflops }) =>
      suite === 'matmul' && dtype === 'float32' ? gflops : undefined,
    ),
    ...best('Convolution, float32', 'GFLOPS', ({ suite, dtype, gflops }) =>
      suite === 'conv' && dtype === 'float32' ? gflops : undefined,
    ),
    ...best('ResNet-20', 'images/s', ({ suite, rate }) => (suite === 'resnet' ? rate?.value : undefined)),
    ...best('GPT, decoding', 'tokens/s', ({ suite, name, rate }) =>
      suite === 'gpt' && name === 'gpt decode' ? rate?.value : undefined,
    ),
  ];
  return list.map(({ title, value, unit }) =>
    make(
      'div',
      { class: 'card headline' },
      make('span', { class: 'soft small' }, title),
      make('span', { class: 'figure' }, `${number(value)} `, make('span', { class: 'unit' }, unit)),
    ),
  );
}
