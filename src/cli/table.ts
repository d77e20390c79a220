/** A column of a table: its heading, and which way its cells lean. */
export interface Column {
  readonly title: string;
  /** Numbers lean right, so that their digits stand under each other. */
  readonly right?: boolean;
  /** May be cut in its middle where the table would be too wide. */
  readonly elastic?: boolean;
}

export interface TableOptions {
  /** Characters a line. */
  readonly width?: number;
  /** How headings are shown. */
  readonly heading?: (text: string) => string;
}

const GAP = '  ';
const LEAST = 12;

/** Cells under their headings, aligned by spaces: lines of text without an end of line. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width = 118, heading = (text) => text }: TableOptions = {},
): string[] {
  const widths = narrowed(
    columns,
    columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => (row[c] ?? '').length))),
    width,
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, c) => {
        const cell = shorten(cells[c] ?? '', widths[c]!);
        return right ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!);
      })
      .join(GAP)
      .trimEnd();
  return [heading(line(columns.map(({ title }) => title))), ...rows.map(line)];
}

/** Widths whose sum fits: the widest elastic column gives way first. */
function narrowed(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const fitted = [...widths];
  const elastic = fitted.map((_, c) => c).filter((c) => columns[c]!.elastic);
  let surplus = fitted.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1)) - width;
  while (surplus > 0) {
    const widest = elastic.reduce((a, b) => (fitted[b]! > fitted[a]! ? b : a), elastic[0] ?? -1);
    if (!(fitted[widest]! > LEAST)) break;
    fitted[widest]!--;
    surplus--;
  }
  return fitted;
}

/** The middle of a long name says least. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${tail ? text.slice(-tail) : ''}`;
}
