/** A text that may stand in HTML, between tags and in attributes. */
export const esc = (text: string | number): string => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** Names and figures as a definition list. */
export const factList = (facts: Readonly<Record<string, string>>): string =>
  `<dl class="facts">${Object.entries(facts)
    .map(([name, value]) => `<dt>${esc(name)}</dt><dd>${esc(value)}</dd>`)
    .join('')}</dl>`;

/** A cell: what is shown, and what it is sorted by. */
export interface Cell {
  readonly html: string;
  readonly value: string | number;
}

export const textCell = (text: string): Cell => ({ html: esc(text), value: text });

/** A cell of a figure; empty where there is none. */
export const figureCell = (value: number | undefined, show: (value: number) => string): Cell =>
  value ? { html: esc(show(value)), value } : { html: '', value: 0 };

/** A table that scrolls by itself; a press on a heading sorts it (interact.ts). */
export function sortableTable(name: string, titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const head = titles.map(
    (title, i) => `<th scope="col"><button type="button" data-sort="${i}">${esc(title)}</button></th>`,
  );
  const body = rows.map(
    (cells) => `<tr>${cells.map(({ html, value }) => `<td data-value="${esc(value)}">${html}</td>`).join('')}</tr>`,
  );
  return `<section class="scroll" tabindex="0" aria-label="${esc(name)}"><table class="figures sortable"><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></section>`;
}
