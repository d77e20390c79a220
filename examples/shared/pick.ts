import type { ModelSource } from '../../src/index.ts';
import { takeFiles } from './drop.ts';

/** The folder of the models that lie beside the pages. */
const WEIGHTS = new URL('../../weights/', document.baseURI);

/**
 * Makes the buttons of `#pick` open a model: those with `data-model` one that lies beside the pages, the others files or a folder.
 * Gives what opens files that come another way.
 */
export function pickModels(open: (name: string, source: ModelSource) => unknown): (files: readonly File[]) => void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('#pick [data-model]'))
    button.addEventListener('click', () => open(button.textContent, new URL(button.dataset['model']!, WEIGHTS).href));
  const take = (files: readonly File[]): void => {
    const [only] = files;
    if (files.length === 1) open(only!.name, only!);
    else open(only!.webkitRelativePath.split('/')[0] || `${files.length} files`, files);
  };
  takeFiles('files', take);
  takeFiles('folder', take);
  return take;
}
