import { byId, copyOnClick, make } from '../../examples/shared/dom.ts';
import { bytes } from '../../examples/shared/format.ts';
import type { BenchReport } from '../report.ts';
import { csvOf, drawCard, fileName, issueAddress, jsonOf, markdownOf } from './exports.ts';
import { cardLines } from './headlines.ts';
import { pack } from './packed.ts';

const BUTTONS = ['link', 'download', 'copy', 'csv', 'markdown', 'png'] as const;

/** The buttons that take a run along: link, files, texts, a picture. None of them sends anything. */
export class Take {
  #report: BenchReport | undefined;
  #link = '';
  readonly #said = byId('link-said', HTMLElement);

  constructor() {
    const of = (name: (typeof BUTTONS)[number]): HTMLButtonElement => byId(name, HTMLButtonElement);
    const on = (name: (typeof BUTTONS)[number], run: (report: BenchReport) => unknown): void =>
      of(name).addEventListener('click', () => this.#report && run(this.#report));
    copyOnClick(of('link'), () => this.#link);
    copyOnClick(of('copy'), () => jsonOf(this.#report!));
    copyOnClick(of('markdown'), () => markdownOf(this.#report!));
    on('download', (report) =>
      save(new Blob([jsonOf(report)], { type: 'application/json' }), `${fileName(report)}.json`),
    );
    on('csv', (report) => save(new Blob([csvOf(report)], { type: 'text/csv' }), `${fileName(report)}.csv`));
    on('png', async (report) => save(await pictureOf(report), `${fileName(report)}.png`));
  }

  /** What the buttons are for from now on; undefined while there is no whole run. */
  async use(report: BenchReport | undefined): Promise<void> {
    this.#report = report;
    for (const name of BUTTONS) byId(name, HTMLButtonElement).disabled = !report || name === 'link';
    const address = report && issueAddress(report, import.meta.env['REPOSITORY'] ?? '');
    const issue = { class: 'button', href: address, target: '_blank', rel: 'noopener' };
    byId('issue', HTMLElement).replaceChildren(...(address ? [make('a', issue, 'Open an issue')] : []));
    this.#said.textContent = 'A link has the run in itself, after its #: no server keeps it.';
    if (!report) return;
    const { text, samples } = await pack(report);
    if (this.#report !== report) return; // another one has come meanwhile
    this.#link = `${location.origin}${location.pathname}#run=${text}`;
    byId('link', HTMLButtonElement).disabled = false;
    const without = report.rows.some(({ ms }) => ms.samples) && !samples ? ' Single samples did not fit into it.' : '';
    this.#said.textContent = `A link has the run in itself, after its #: no server keeps it. ${bytes(this.#link.length)}; figures are rounded to five digits.${without}`;
  }
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function pictureOf(report: BenchReport): Promise<Blob> {
  const canvas = document.createElement('canvas');
  drawCard(canvas, report, cardLines(report.rows));
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture of the card.')))),
  );
}
