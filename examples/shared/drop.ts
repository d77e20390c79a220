import { byId, make } from './dom.ts';

/** Makes the whole page take files and folders that are dropped on it; the body has the class `dropping` meanwhile. */
export function acceptDrops(onFiles: (files: readonly File[]) => unknown): void {
  const mark = (on: boolean): void => void document.body.classList.toggle('dropping', on);
  addEventListener('dragover', (event) => {
    event.preventDefault();
    mark(true);
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) mark(false);
  });
  addEventListener('drop', async (event) => {
    event.preventDefault();
    mark(false);
    const files = await droppedFiles(event.dataTransfer);
    if (files.length) onFiles(files);
  });
}

/** Makes a button open the browser's picker for an input of files, which is hidden. */
function pairUp(input: HTMLInputElement, button: Element, onFiles: (files: readonly File[]) => unknown): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // the same file may be chosen again
    if (files.length) onFiles(files);
  });
  button.addEventListener('click', () => input.click());
}

/** Takes what is chosen by an input of files of the page: the button after it opens the browser's picker. */
export function takeFiles(id: string, onFiles: (files: readonly File[]) => unknown): void {
  const input = byId(id, HTMLInputElement);
  pairUp(input, input.nextElementSibling!, onFiles);
}

/** A button that opens the browser's picker, and the input that it stands for. */
export function fileButton(
  label: string,
  onFiles: (files: readonly File[]) => unknown,
  attributes: Record<string, string | boolean> = {},
): [HTMLInputElement, HTMLButtonElement] {
  const input = make('input', { type: 'file', multiple: true, hidden: true, ...attributes });
  const button = make('button', { type: 'button' }, label);
  pairUp(input, button, onFiles);
  return [input, button];
}

/** Hands a file to the person. */
export function download(name: string, content: Uint8Array<ArrayBuffer> | string): void {
  const url = URL.createObjectURL(new Blob([content]));
  make('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

/** The files dropped, and those directly inside of folders dropped. */
async function droppedFiles(transfer: DataTransfer | null): Promise<File[]> {
  // Entries must be taken before the first await: the list is empty after the event.
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.());
  const folders = entries.filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
  if (!folders.length) return [...(transfer?.files ?? [])];
  const listed = await Promise.all(folders.map(listFiles));
  return listed.flat();
}

async function listFiles(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  // A reader gives its entries in parts, an empty one at the end.
  for (let part = await read(reader); part.length; part = await read(reader)) entries.push(...part);
  const files = entries.filter((entry): entry is FileSystemFileEntry => entry.isFile);
  return Promise.all(files.map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))));
}

const read = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));
