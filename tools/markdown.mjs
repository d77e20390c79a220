/** A table with its columns under each other, as the formatter wants them. @param {readonly string[]} titles @param {readonly (readonly string[])[]} rows */
export function markdownTable(titles, rows) {
  const widths = titles.map((_, c) => Math.max(3, ...[titles, ...rows].map((cells) => cells[c]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells, fill = ' ') =>
    `| ${cells.map((cell, c) => cell.padEnd(widths[c] ?? 0, fill)).join(' | ')} |`;
  return [
    line(titles),
    line(
      titles.map(() => ''),
      '-',
    ),
    ...rows.map((cells) => line(cells)),
  ];
}

/**
 * A text with something new between the lines `<!-- name: … -->` and `<!-- /name -->`.
 * @param {string} text
 * @param {string} name
 * @param {string} content
 * @throws {Error} where there are no such lines
 */
export function between(text, name, content) {
  const begin = text.match(new RegExp(`^<!-- ${name}: .*-->$`, 'm'));
  const from = (begin?.index ?? 0) + (begin?.[0].length ?? 0);
  const to = text.indexOf(`<!-- /${name} -->`, from);
  if (!begin || to < 0) throw new Error(`there are no lines <!-- ${name}: … --> and <!-- /${name} -->`);
  return `${text.slice(0, from)}\n\n${content}\n\n${text.slice(to)}`;
}
