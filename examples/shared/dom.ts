type Attributes = Record<string, string | number | boolean | undefined>;

/** An element of this page that must be there, as the type that it is. */
export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is not a ${type.name} of this page`);
  return found;
}

/** Makes an element; an attribute that is false or undefined is left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Makes an element of SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Names and figures as a definition list. */
export const facts = (list: Readonly<Record<string, string | Node>>): HTMLDListElement =>
  make(
    'dl',
    { class: 'facts' },
    ...Object.entries(list).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
  );

export function makeButton(text: string, onClick: () => unknown, className = ''): HTMLButtonElement {
  const button = make('button', { type: 'button', class: className || undefined }, text);
  button.addEventListener('click', () => onClick());
  return button;
}

/** Makes a button copy a text; it says for a moment what became of that. */
export function copyOnClick(button: HTMLButtonElement, text: () => string): void {
  const resting = button.textContent;
  button.setAttribute('aria-live', 'polite');
  button.addEventListener('click', async () => {
    const copied = navigator.clipboard?.writeText(text()) ?? Promise.reject();
    button.textContent = await copied.then(
      () => 'Copied',
      () => 'Not copied: the browser forbids it',
    );
    setTimeout(() => {
      button.textContent = resting;
    }, 2000);
  });
}
