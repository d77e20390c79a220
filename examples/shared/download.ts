import { TilewrightError } from '../../src/errors.ts';
import { list, remove } from '../../src/hub/cache/index.ts';
import { INDEX, isHubName, openFolder, readJson, SINGLE_FILE } from '../../src/hub/folder.ts';
import { hubModel } from '../../src/hub/hub.ts';
import { type Answer, Network } from '../../src/hub/network.ts';
import { openRemote } from '../../src/hub/remote.ts';
import { make, makeButton } from './dom.ts';
import { bytes } from './format.ts';

/** Bytes that are fetched without asking first. */
const UNASKED = 20e6;

const WEIGHTS = /\.(safetensors|gguf|onnx|ort)$/;

/**
 * The size of the file behind a URL, infinite where the server does not tell. Of its body the first bytes are read at most,
 * whether the server gives ranges or not.
 */
async function sizeAt(url: URL, signal: AbortSignal): Promise<number> {
  const told = ({ headers }: Response): number => Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  const whole = async ({ response }: Answer): Promise<{ size: number }> => ({ size: told(response) });
  return (await openRemote(new Network(), url.href, signal, whole)).size;
}

/** Bytes of a model's weights that a load would fetch: those that the cache has are not fetched again. Errors: those of a fetch. */
async function bytesToFetch(source: string, signal: AbortSignal): Promise<number> {
  const folder = await openFolder(source, { signal, cache: false });
  const model = (await list()).find(({ name }) => name === folder.name);
  const kept = (model?.files ?? []).filter(({ name }) => WEIGHTS.test(name));
  if (kept.length && kept.every(({ complete }) => complete)) return 0;
  const hub = isHubName(source) ? hubModel(source) : undefined;
  const root = hub?.url ?? new URL(source, document.baseURI);
  const sizeOf = (file: string): Promise<number> => {
    const url = new URL(root);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${file}`;
    return sizeAt(url, signal);
  };
  const sizeOfFolder = (): Promise<number> =>
    sizeOf(SINGLE_FILE).catch(async (error) => {
      const index = error instanceof TilewrightError && error.code === 'not-found' && (await readJson(folder, INDEX));
      if (!index) throw error;
      const shards = new Set(Object.values(index['weight_map'] as Record<string, string>));
      return (await Promise.all(Array.from(shards, sizeOf))).reduce((sum, size) => sum + size, 0);
    });
  const size = await (WEIGHTS.test(root.pathname) ? sizeAt(root, signal) : sizeOfFolder()).catch((error) => {
    throw hub?.explain(error) ?? error;
  });
  return Math.max(0, size - kept.reduce((sum, one) => sum + one.bytes, 0));
}

/** Asks in `place` whether to fetch a model of more than 20 MB, with its size. Gives whether to go on. */
export async function askBefore(
  name: string,
  source: string,
  place: HTMLElement,
  signal: AbortSignal,
): Promise<boolean> {
  if (/^(blob|data):/.test(source)) return true;
  const focused = document.activeElement;
  place.replaceChildren(make('p', { class: 'small soft' }, `Asking how large ${name} is…`));
  // What is not there is not fetched: whoever loads it says so.
  const unknown = (error: unknown): number =>
    error instanceof TilewrightError && error.code === 'network' ? Number.POSITIVE_INFINITY : 0;
  const size = await bytesToFetch(source, signal).catch(unknown);
  if (signal.aborted) return false;
  if (size <= UNASKED) {
    place.replaceChildren();
    return true;
  }
  return new Promise((resolve) => {
    const answer = (goesOn: boolean): void => {
      place.replaceChildren();
      resolve(goesOn);
    };
    const much = Number.isFinite(size) ? bytes(size) : 'an unknown size';
    const fetchIt = makeButton(`Download ${much}`, () => answer(true), 'primary');
    place.replaceChildren(
      make('p', { class: 'small' }, `${name}: ${much} to download. This browser keeps it for the next time.`),
      make(
        'div',
        { class: 'row' },
        fetchIt,
        makeButton('Not now', () => answer(false)),
      ),
    );
    // A person who types elsewhere meanwhile goes on typing.
    if (document.activeElement === focused) fetchIt.focus();
    signal.addEventListener('abort', () => resolve(false));
  });
}

/** Shows in `place` what models this browser keeps, each with a button that removes it. */
export async function showKept(place: HTMLElement): Promise<void> {
  const models = await list();
  const rows = models.map(({ name, bytes: size, complete }) => {
    const gone = async (): Promise<void> => {
      await remove(name);
      await showKept(place);
      place.querySelector('button')?.focus();
    };
    const button = makeButton('Remove', gone);
    button.setAttribute('aria-label', `Remove ${name}`);
    const text = complete ? bytes(size) : `${bytes(size)}, a part of it`;
    return make('li', {}, make('span', {}, name, ' ', make('span', { class: 'soft numbers' }, text)), button);
  });
  place.replaceChildren(
    models.length ? make('ul', { class: 'kept' }, ...rows) : make('p', { class: 'small soft' }, 'Nothing so far.'),
  );
}
