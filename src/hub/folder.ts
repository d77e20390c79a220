import { TilewrightError } from '../errors.ts';
import { shown } from '../options.ts';
import type { OnProgress } from '../tensor/progress.ts';
import type { HubModel } from './hub.ts';
import type { NetworkOptions } from './policy.ts';
import { type ByteSource, blobSource, bytesSource, reason, stray } from './source.ts';
import type { Urls } from './url.ts';

/** The files of one model, in the layout of Hugging Face. */
export interface Folder {
  readonly name: string;
  /** @throws `not-found`; `invalid-argument` for a name that leads out of the folder. */
  open(file: string): Promise<ByteSource>;
  /**
   * The file, or undefined where it is not there. Servers that keep to themselves what is there answer 403 and the
   * like: that is not there.
   */
  find(file: string, onMissing?: (why: TilewrightError) => void): Promise<ByteSource | undefined>;
  /** The names of all files, where they can be known: a URL cannot be asked. */
  list?(): Promise<string[]>;
  /**
   * To call when all was read that is read for now: what the cache lacks is fetched, and files are compared with the sha256 that they
   * have to have. Errors: `invalid-file`, `invalid-argument`, those of a fetch.
   */
  finish?(signal?: AbortSignal): Promise<void>;
  /** The ONNX file that was asked for: what lies beside it may be its external data. */
  readonly onnx?: string | undefined;
}

/**
 * What a model can be loaded from: its name on a hub (`org/model`, `org/model@revision`), the address of a folder or of one
 * `.safetensors` or `.gguf` file (in Node a path too), the bytes of one file, the files of a picker, or files by name.
 *
 * A string with a scheme (`https:`) is an address. One of two words with a slash between them is a name on a hub, unless it
 * ends in `.safetensors`, `.gguf`, `.onnx` or `.ort` or, in Node, is the path of something that is there. All others are paths in Node, addresses
 * beside the page elsewhere: `./org/model` and `org/model/` too.
 */
export type ModelSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | Iterable<File>
  | Record<string, Blob | ArrayBuffer | Uint8Array>;

export interface FolderOptions {
  signal?: AbortSignal;
  /** What relative addresses are relative to; by default the page. Where it is given, strings are URLs in Node too. */
  baseUrl?: string | URL;
  /** How addresses are fetched. */
  network?: NetworkOptions | undefined;
  /** Fires when nothing more is read for now: what was fetched and not read is kept until then. Absent: for 5 s. */
  loaded?: AbortSignal;
  /** Whether files behind URLs are kept in the cache. Absent: those of a hub are, where `loaded` is given. */
  cache?: boolean | undefined;
  /** What files have to hash to, by name: `finish` compares. */
  sha256?: Readonly<Record<string, string>> | undefined;
  onProgress?: OnProgress | undefined;
}

/** The name under which a file that stands alone is found. */
export const SINGLE_FILE = 'model.safetensors';
const ONNX = /\.(onnx|ort)$/i;

/** A model's name on a hub, with or without a revision. */
const HUB_NAME = /^\w[\w.-]*\/\w(?![^@]*\.(safetensors|gguf|onnx|ort)$)[\w.-]*(@.*)?$/i;

export const isHubName = (name: string): boolean => HUB_NAME.test(name);

/** The file that says which tensor lies in which shard, where there are several. */
export const INDEX = 'model.safetensors.index.json';

const SINGLE_ONNX = 'model.onnx';

/** As deep as JSON of a model may be nested, as serde_json has it: what reads it may recurse. */
export const MAX_DEPTH = 127;

/** Opens a path or a `file:` URL: given by src/disk.ts where there is a disk. A page has none. */
export const disk: { open?: (address: string | URL) => Promise<Folder> } = {};

/** What relative addresses are relative to, where it is not the script's own place: in a worker the page that speaks to it. */
export const here: { base?: string | undefined } = {};

/** Opens a model's folder; nothing is fetched yet, a path is looked up. @throws `not-found`, `invalid-argument`. */
export async function openFolder(source: ModelSource, options: FolderOptions = {}): Promise<Folder> {
  if (options.network) (await import('./url.ts')).checkNetwork(options.network);
  const folder = await openSource(source, options);
  return options.sha256 ? (await import('./sha256.ts')).checkedFolder(folder, options.sha256) : folder;
}

async function openSource(source: ModelSource, options: FolderOptions): Promise<Folder> {
  if (typeof source === 'string' || source instanceof URL) return openAddress(source, options);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array || source instanceof Blob) {
    const start = new Uint8Array(
      await new Blob([source instanceof Blob ? source.slice(0, 9) : source.slice(0, 9)]).arrayBuffer(),
    );
    const named = source instanceof File ? source.name : undefined;
    // An ONNX file begins with the version of its format, a safetensors file with a length and a brace.
    const isOnnx = ONNX.test(named ?? '') || (named === undefined && start[0] === 8 && start[8] !== 0x7b);
    if (isOnnx) return filesFolder([[named ?? SINGLE_ONNX, source]]);
    if (source instanceof Blob)
      return fileFolder(named ?? SINGLE_FILE, async () => blobSource(named ?? SINGLE_FILE, source));
    return filesFolder([[SINGLE_FILE, source]]);
  }
  const files: object = source ?? {};
  const entries: [string, unknown][] = isIterable(files)
    ? Array.from(files, (file) => [pathInFolder(file), file])
    : Object.entries(files);
  if (entries.length && entries.every(isFileEntry)) return filesFolder(entries);
  throw new TilewrightError(
    'invalid-argument',
    `a model is loaded from a URL, a path, bytes or files, got ${shown(source)}`,
    { hint: 'Of a Response: load(await response.arrayBuffer()), or load its address.' },
  );
}

/** The text of a file, or undefined where there is no such file. @throws `invalid-file` when it is not in UTF-8. */
export async function readText(folder: Folder, file: string, signal?: AbortSignal): Promise<string | undefined> {
  const source = await folder.find(file);
  if (!source) return undefined;
  const bytes = await source.slice(0, source.size, signal);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TilewrightError('invalid-file', `${folder.name}: ${file} is no text in UTF-8`, { cause });
  }
}

/**
 * The object that the file holds, or undefined where there is no such file. @throws `invalid-file` when it is no JSON
 * in UTF-8.
 */
export async function readJson(
  folder: Folder,
  file: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const value = await readValue(folder, file, signal);
  if (Array.isArray(value)) throw new TilewrightError('invalid-file', `${folder.name}: ${file} holds no object`);
  return value as Readonly<Record<string, unknown>> | undefined;
}

/** The object or list that the file holds, as `readJson`. */
export async function readValue(folder: Folder, file: string, signal?: AbortSignal): Promise<object | undefined> {
  const source = await folder.find(file);
  if (!source) return undefined;
  const bytes = await source.slice(0, source.size, signal);
  const path = `${folder.name}: ${file}`;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw (
      stray(path, 'JSON', bytes) ??
      new TilewrightError('invalid-file', `${path} is not valid JSON: ${reason(cause)}`, { cause })
    );
  }
  if (!isObject(value)) throw new TilewrightError('invalid-file', `${path} holds no object`);
  let level: object[] = [value];
  for (let depth = 1; level.length; depth++) {
    if (depth > MAX_DEPTH)
      throw new TilewrightError('invalid-file', `${path} is nested deeper than ${MAX_DEPTH} levels`);
    level = level.flatMap((one) => Object.values(one).filter(isObject));
  }
  return value;
}

async function openAddress(address: string | URL, options: FolderOptions): Promise<Folder> {
  const { baseUrl } = options;
  // One letter and a colon is a drive of Windows, not a scheme.
  const hasScheme = address instanceof URL || /^[a-z][a-z\d+.-]+:/i.test(address);
  const isHub = !hasScheme && baseUrl === undefined && isHubName(address);
  if (disk.open && !hasScheme && baseUrl === undefined) {
    const found = await disk.open(address).catch((error) => {
      if (!isHub) throw error;
    });
    if (found) return found;
  }
  if (isHub) {
    const hub = (await import('./hub.ts')).hubModel(address, options.network);
    return urlFolder(hub.url, { ...options, cache: options.cache ?? options.loaded !== undefined }, hub);
  }
  const base = baseUrl ?? here.base ?? globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(address, base)) throw new TilewrightError('invalid-argument', `"${address}" is not a URL`);
  const url = new URL(address, base);
  if (disk.open && url.protocol === 'file:') return disk.open(url);
  return urlFolder(url, options);
}

/** The one ONNX file of a folder without safetensors. Error: `invalid-argument` where there are several. */
export async function onnxOf(folder: Folder): Promise<string | undefined> {
  if (folder.onnx !== undefined) return folder.onnx;
  const files = (await folder.list?.()) ?? [];
  if (files.some((file) => /\.(safetensors|gguf)$/.test(file))) return undefined;
  const found = files.filter((file) => ONNX.test(file));
  if (found.length > 1)
    throw new TilewrightError('invalid-argument', `${folder.name}: has several ONNX files: ${found.join(', ')}`, {
      hint: 'Load one of them by its own address.',
    });
  return found[0];
}

/** A folder behind a URL. A query (a token, a revision) goes with every file. */
function urlFolder(url: URL, options: FolderOptions, hub?: HubModel): Folder {
  const root = new URL(url);
  const onnx = ONNX.test(root.pathname) ? decodeURIComponent(root.pathname.split('/').pop()!) : undefined;
  if (onnx !== undefined) root.pathname = root.pathname.replace(/[^/]*$/, '');
  const isFile = url.protocol === 'blob:' || url.protocol === 'data:' || /\.(safetensors|gguf)$/.test(url.pathname);
  if (!isFile && !root.pathname.endsWith('/')) root.pathname += '/';
  const model = hub?.model ?? { name: root.href, from: root.href };
  let urls: Promise<Urls> | undefined;
  const open = async (address: URL, file: string): Promise<ByteSource> => {
    urls ??= import('./url.ts').then(({ openUrls }) => openUrls(model, options));
    return (await urls).open(address, file).catch((error) => {
      throw hub?.explain(error) ?? error;
    });
  };
  const finish = async (signal?: AbortSignal): Promise<void> => (await urls)?.finish(signal);
  if (isFile) return { ...fileFolder(url.href.slice(0, 200), () => open(url, SINGLE_FILE)), finish };
  const inside = (file: string): Promise<ByteSource> => {
    const child = new URL(root);
    child.pathname += file.split('/').map(encodeURIComponent).join('/');
    return open(child, file);
  };
  return { ...makeFolder(hub?.model.name ?? root.href, inside), onnx, finish };
}

/** A folder of one checkpoint, whatever its file is called. */
export const fileFolder = (name: string, open: () => Promise<ByteSource>): Folder =>
  makeFolder(
    name,
    async (file) => {
      if (file !== SINGLE_FILE) {
        throw new TilewrightError('not-found', `${name}: is one file, there is no ${file} beside it`);
      }
      return open();
    },
    async () => [SINGLE_FILE],
  );

/** Files at hand, by name. */
function filesFolder(entries: Iterable<[string, Blob | ArrayBuffer | Uint8Array]>): Folder {
  const files = new Map(entries);
  const names = [...files.keys()];
  return makeFolder(
    'files',
    async (name) => {
      const file = files.get(name);
      if (!file) {
        throw new TilewrightError('not-found', `${shown(name)} is not among the files: ${names.join(', ') || 'none'}`);
      }
      return file instanceof Blob ? blobSource(name, file) : bytesSource(name, file);
    },
    async () => names,
  );
}

export function makeFolder(
  name: string,
  read: (file: string) => Promise<ByteSource>,
  list?: () => Promise<string[]>,
): Folder {
  async function open(file: string): Promise<ByteSource> {
    // Names come from files too (the shards of an index), and must not reach beyond the folder.
    if (/[\\\0]/.test(file) || file.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new TilewrightError('invalid-argument', `${name}: ${shown(file)} does not name a file inside the folder`);
    }
    return read(file);
  }
  async function find(file: string, onMissing?: (why: TilewrightError) => void): Promise<ByteSource | undefined> {
    try {
      return await open(file);
    } catch (error) {
      if (!isMissing(error)) throw error;
      onMissing?.(error);
      return undefined;
    }
  }
  return { name, open, find, list };
}

/** Told to wait or to come again (408, 425, 429), the client does not know whether there is a file. */
const isMissing = (error: unknown): error is TilewrightError => {
  if (!(error instanceof TilewrightError) || error.cause instanceof TilewrightError) return false; // a hub's own answer
  const { status = 0 } = (error.cause ?? {}) as Partial<Response>;
  return error.code === 'not-found' || (status >= 400 && status < 500 && ![408, 425, 429].includes(status));
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isFileEntry = (entry: [string, unknown]): entry is [string, Blob | ArrayBuffer | Uint8Array] =>
  [Blob, ArrayBuffer, Uint8Array].some((type) => entry[1] instanceof type);

const isIterable = (source: object): source is Iterable<File> => Symbol.iterator in Object(source);

/** A file of a folder picker knows its path, which begins with the folder's own name. */
const pathInFolder = (file: File): string => file?.webkitRelativePath?.split('/').slice(1).join('/') || file?.name;
