// What TypeDoc's own script builds holds links where nothing may take the focus: in the options of its search, and in what opens its menu.
new MutationObserver(() => {
  for (const link of document.querySelectorAll('#tsd-search-results [role="option"] a[href]')) {
    const { href } = link;
    link.removeAttribute('href');
    link.removeAttribute('tabindex');
    const go = (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.button === 1) window.open(href);
      else location.assign(href);
    };
    link.parentElement?.addEventListener('click', go);
    link.parentElement?.addEventListener('auxclick', go);
  }
  for (const link of document.querySelectorAll('nav summary a[href]')) {
    const label = document.createElement('span');
    label.append(...link.cloneNode(true).childNodes);
    const item = document.createElement('li');
    link.closest('details')?.querySelector('ul')?.prepend(item);
    link.replaceWith(label);
    item.append(link);
  }
}).observe(document.body, { childList: true, subtree: true });
