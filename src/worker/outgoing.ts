import { TilewrightError } from '../errors.ts';
import { isPlain, MARK, type Stand } from './messages.ts';

/** What an outgoing call needs of its port. */
export interface Port {
  /** The number of an object of this port's worker; an error where it is another's. */
  idOf(value: object): number | undefined;
  callback(listener: (...args: unknown[]) => void): number;
  signal(signal: AbortSignal): Stand;
}

/** Arguments on their way to a worker. */
export interface Outgoing {
  readonly args: readonly unknown[];
  /** What goes over without a copy. */
  readonly transfer: Transferable[];
  /** Settles once all of `args` can be sent; absent where they can be at once. */
  readonly later: Promise<unknown> | undefined;
}

const moved = new WeakSet<object>();

/**
 * Marks an ArrayBuffer, a typed array, an ImageBitmap or a VideoFrame: the next call that it is given to moves it to the worker
 * instead of copying it, and it is empty here from then on.
 */
export function transfer<Value extends ArrayBuffer | ArrayBufferView | ImageBitmap | VideoFrame>(value: Value): Value {
  moved.add(value);
  return value;
}

/** Elements of a page, of which a worker gets the pixels; a canvas would be taken away from the page. */
const PIXELS = /(^HTML.*|^SVG.*)Element$|^OffscreenCanvas$/;
/** Names of options that are told something and give nothing back. */
const TOLD = /^on[A-Z]/;

const typeOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/** Makes arguments ready to be sent. Error: `invalid-argument`, with the name of what cannot be. */
export function outgoing(call: string, given: readonly unknown[], port: Port): Outgoing {
  const transfer: Transferable[] = [];
  const waiting: Promise<unknown>[] = [];
  const refuse = (path: string, what: string): never => {
    throw new TilewrightError('invalid-argument', `${call}: ${path}: ${what} cannot be sent to a worker`, {
      hint: "In a worker of your own, import 'tilewright' itself: there it can be given.",
    });
  };

  function ready(value: unknown, path: string): unknown {
    if (typeof value === 'function') {
      if (!TOLD.test(path.split('.').at(-1)!)) return refuse(path, 'a function');
      return { [MARK]: 'callback', id: port.callback(value as () => void) } as Stand;
    }
    if (typeof value !== 'object' || value === null) return value;
    const id = port.idOf(value);
    if (id !== undefined) return { [MARK]: 'given', id } as Stand;
    if (moved.delete(value))
      transfer.push(ArrayBuffer.isView(value) ? (value.buffer as ArrayBuffer) : (value as ImageBitmap));
    if (ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value)) return within(value, path, [...value]);
    if (isPlain(value)) return within(value, path, {});
    if (value instanceof AbortSignal) return port.signal(value);
    if (value instanceof URL) return value.href;
    const type = typeOf(value);
    if (type.startsWith('GPU')) return refuse(path, `a ${type}`);
    return strange(value, type, path);
  }

  /** The parts of a list or of an object, in `into`: those that have to be waited for come later. */
  function within(value: object, path: string, into: object): object {
    const parts = into as Record<string, unknown>;
    for (const [name, part] of Object.entries(value)) {
      const made = ready(part, path ? `${path}.${name}` : name);
      parts[name] = made;
      if (made instanceof Promise)
        waiting.push(
          made.then((done) => {
            parts[name] = done;
          }),
        );
    }
    return into;
  }

  /** What is neither plain nor known: elements as pictures, and what can be walked as a list. */
  function strange(value: object, type: string, path: string): unknown {
    if (PIXELS.test(type))
      return import('../vision/decode.ts').then(async ({ bitmapOf }) => {
        const bitmap = await bitmapOf(value as HTMLImageElement);
        transfer.push(bitmap);
        return bitmap;
      });
    const { [Symbol.iterator]: walk, [Symbol.asyncIterator]: walkLater } = value as Partial<
      Iterable<unknown> & AsyncIterable<unknown>
    >;
    if (walkLater) return listed(value as AsyncIterable<unknown>, path);
    return walk && type !== 'FileList' ? within([...(value as Iterable<unknown>)], path, []) : value;
  }

  async function listed(value: AsyncIterable<unknown>, path: string): Promise<unknown[]> {
    const parts: unknown[] = [];
    for await (const part of value) parts.push(await ready(part, `${path}.${parts.length}`));
    return parts;
  }

  const args = within(given, '', []) as unknown[];
  const settle = async (): Promise<void> => {
    while (waiting.length) await Promise.all(waiting.splice(0)); // what is waited for may bring more
  };
  return { args, transfer, later: waiting.length ? settle() : undefined };
}
