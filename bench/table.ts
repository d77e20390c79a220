import { make } from '../examples/shared/dom.ts';
import { number, whole } from '../examples/shared/format.ts';
import type { BenchRow, Ceilings } from './report.ts';

/** One line of the table of results. */
export function tableRow({ name, shape, dtype, ms, gflops, gbps, pctOfRoof, rate }: BenchRow): HTMLTableRowElement {
  const cells = [
    name,
    shape,
    dtype,
    number(ms.median),
    `${number(ms.p10)}–${number(ms.p90)}`,
    whole(ms.n),
    number(gflops),
    number(gbps),
    pctOfRoof === null ? '' : `${number(pctOfRoof)} %`,
  ];
  const last = rate ? `${number(rate.value)} ${rate.unit}` : '';
  return make('tr', {}, ...[...cells, last].map((text, i) => make('td', i === 6 ? { class: 'main' } : {}, text)));
}

/** What the adapter can do at most, in words: the roofs that rows are a share of. */
export function ceilingsText({ fmaF32, fmaF16, dotInt8, readGbps, dispatchUs }: Ceilings): string {
  const parts = [
    `${number(fmaF32)} GFLOPS of multiply-adds in float32`,
    ...(fmaF16 === undefined ? [] : [`${number(fmaF16)} in float16`]),
    ...(dotInt8 === undefined ? [] : [`${number(dotInt8)} GOPS of int8 dot products`]),
    `${number(readGbps)} GB/s read`,
    `${number(dispatchUs)} µs a dispatch`,
  ];
  return `Measured ceilings: ${parts.join(', ')}.`;
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
