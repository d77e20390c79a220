/**
 * Makes the views answer: headings sort, the flame chart widens. It stands alone, since a saved report has the text of this
 * function: it takes nothing from outside of itself.
 */
export function enhance(root: ParentNode): void {
  for (const table of root.querySelectorAll<HTMLTableElement>('table.sortable')) {
    const body = table.tBodies[0]!;
    const original = [...body.rows];
    for (const button of table.querySelectorAll<HTMLButtonElement>('[data-sort]')) {
      const heading = button.parentElement!;
      button.addEventListener('click', () => {
        const column = Number(button.dataset['sort']);
        const value = (row: HTMLTableRowElement): string => row.cells[column]!.dataset['value']!;
        const before = heading.getAttribute('aria-sort');
        const isNumber = original.every((row) => value(row) !== '' && !Number.isNaN(Number(value(row))));
        const first = isNumber ? 'descending' : 'ascending';
        const second = isNumber ? 'ascending' : 'descending';
        // The third press brings back the order in which they run.
        const next = before === first ? second : before === second ? 'none' : first;
        for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort');
        if (next !== 'none') heading.setAttribute('aria-sort', next);
        const sign = next === 'descending' ? -1 : 1;
        const compare = (a: HTMLTableRowElement, b: HTMLTableRowElement): number =>
          sign * (isNumber ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b)));
        body.append(...(next === 'none' ? original : [...original].sort(compare)));
      });
    }
  }
  for (const flame of root.querySelectorAll<HTMLElement>('.flame')) {
    const bars = [...flame.querySelectorAll<HTMLButtonElement>('button')];
    const told = flame.nextElementSibling as HTMLElement;
    const number = (bar: HTMLElement, name: string): number => Number(bar.dataset[name]);
    const tell = (bar: HTMLButtonElement): void => {
      told.textContent = bar.title;
    };
    const widen = (bar: HTMLButtonElement): void => {
      flame.style.setProperty('--zoom-from', String(number(bar, 'from')));
      flame.style.setProperty('--zoom', String(number(bar, 'share') || 1));
      tell(bar);
    };
    const focus = (bar: HTMLButtonElement | undefined): void => {
      if (!bar) return;
      for (const other of bars) other.tabIndex = other === bar ? 0 : -1;
      bar.focus();
    };
    const beside = (bar: HTMLButtonElement, key: string): HTMLButtonElement | undefined => {
      const at = bars.indexOf(bar);
      const depth = number(bar, 'depth');
      if (key === 'ArrowDown') return number(bars[at + 1] ?? bar, 'depth') > depth ? bars[at + 1] : undefined;
      if (key === 'ArrowUp') return bars.slice(0, at).findLast((other) => number(other, 'depth') < depth);
      const level = (other: HTMLButtonElement): boolean => number(other, 'depth') === depth;
      if (key === 'ArrowRight') return bars.slice(at + 1).find(level);
      return bars.slice(0, at).findLast(level);
    };
    for (const bar of bars) {
      bar.addEventListener('click', () => widen(bar));
      bar.addEventListener('focus', () => tell(bar));
      bar.addEventListener('pointerenter', () => tell(bar));
      bar.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') widen(bars[0]!);
        if (!event.key.startsWith('Arrow')) return;
        event.preventDefault();
        focus(beside(bar, event.key));
      });
    }
  }
}
