/**
 * @typedef {import('./dump.mjs').Row} Row
 * @typedef {{ title: string, cell: (row: Row) => string, left?: boolean }} Column
 */

const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;
/** A figure to two places, `-` for none. @param {number} amount */
const perMac = (amount) => (Number.isFinite(amount) ? amount.toFixed(2) : '-');

/** Columns that every GPU has. @type {Column[]} */
const COLUMNS = [
  { title: 'spills', cell: ({ spills }) => String(spills) },
  { title: 'instructions', cell: ({ instructions }) => String(instructions) },
  { title: 'MACs', cell: ({ hot }) => String(hot.macs) },
  { title: 'share', cell: ({ hot }) => (hot.macs ? percent(hot.share) : '-') },
  { title: 'workgroup B/MAC', cell: ({ hot }) => perMac(hot.workgroupBytes / hot.macs) },
  { title: 'storage B/MAC', cell: ({ hot }) => perMac(hot.storageBytes / hot.macs) },
];

/** @type {Record<import('./gpus.mjs').Gpu['vendor'], Column[]>} */
const OWN = {
  amd: [
    { title: 'VGPRs', cell: ({ registers }) => String(registers) },
    { title: 'waves', cell: ({ waves }) => String(waves) },
    { title: 'workgroup B', cell: ({ workgroupMemory }) => String(workgroupMemory) },
  ],
  intel: [{ title: 'SIMD', cell: ({ waves }) => String(waves) }],
};

/**
 * Rows as lines of text, their names last. Of the hot loop: multiply-accumulates of an invocation in a turn, the share of multiply-adds in
 * its vector instructions, bytes read from workgroup memory and from storage for each.
 * @param {import('./gpus.mjs').Gpu['vendor']} vendor
 * @param {readonly Row[]} rows
 * @param {{ mix?: boolean, more?: readonly Column[] }} [options]
 * @returns {string[]}
 */
export function table(vendor, rows, { mix = false, more = [] } = {}) {
  const columns = [...OWN[vendor], ...COLUMNS, ...more];
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => line[c]?.length ?? 0)));
  return cells.flatMap((line, i) => {
    const row = rows[i - 1];
    const text = `${line.map((cell, c) => cell.padStart(widths[c] ?? 0)).join('  ')}  ${row?.name ?? 'kernel'}`;
    return mix && row?.hot.mix ? [text, `    ${row.hot.mix}`] : [text];
  });
}
