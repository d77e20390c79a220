/** The worker's end: `tilewright/worker` opens a port, and the engine is spoken to through it. */
import { Engine } from '../engine.ts';
import { TilewrightError } from '../errors.ts';
import { here } from '../hub/folder.ts';
import { crossing, KINDS, type Kind } from './members.ts';
import {
  type FromWorker,
  isPlain,
  MARK,
  OPENED,
  type Opening,
  STATICS,
  type Stand,
  type State,
  sendError,
  standOf,
  type Told,
  type ToWorker,
} from './messages.ts';

interface Held {
  // biome-ignore lint/suspicious/noExplicitAny: of any kind; its methods are called by name.
  readonly value: any;
  readonly kind: Kind;
  /** Of a generator: the signals that it was given. */
  readonly signals?: readonly number[];
}

/** One engine, and what came of it, for the page at the other end of a port. */
class Host {
  readonly #held = new Map<number, Held>([[STATICS, { value: Engine, kind: 'statics' }]]);
  readonly #ids = new Map<unknown, number>();
  readonly #signals = new Map<number, AbortController>();
  #last = STATICS;

  constructor(private readonly port: MessagePort) {
    port.onmessage = ({ data }) => this.#receive(data);
  }

  post(message: FromWorker, transfer: Transferable[] = []): void {
    this.port.postMessage(message, transfer);
  }

  #receive(message: ToWorker): void {
    if ('abort' in message) this.#signals.get(message.abort)?.abort(message.reason);
    else if ('free' in message) this.#free(message.free);
    else this.#answer(message);
  }

  async #answer({ call, on, name, args }: Extract<ToWorker, { call: number }>): Promise<void> {
    let signals: number[] = [];
    try {
      const { value: target, kind } = this.#held.get(on) ?? gone();
      if (crossing(kind, name) !== 'call' && crossing(kind, name) !== 'stream')
        throw new TilewrightError('invalid-argument', `${kind} has no method '${name}'`);
      const made = target[name](...(this.#given(args, signals) as unknown[]));
      const value = await made;
      // What a promise gave is the caller's; what came at once may be the engine's own.
      const transfer = value === made ? [] : buffersOf(value);
      const sent = this.#sent(value, signals);
      if (kindOf(value) === 'stream') signals = []; // they go when it goes
      this.post({ answer: call, value: sent, states: this.#states(on) }, transfer);
    } catch (error) {
      this.post({ answer: call, error: sendError(error), states: this.#states(on) });
    } finally {
      this.#forget(signals);
    }
  }

  #forget(signals: readonly number[] = []): void {
    for (const id of signals) this.#signals.delete(id);
  }

  /** Arguments with what stands in them for objects, signals and callbacks. */
  #given(value: unknown, signals: number[]): unknown {
    if (Array.isArray(value)) return value.map((part) => this.#given(part, signals));
    if (!isPlain(value)) return value;
    const stand = standOf(value);
    if (!stand)
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.#given(part, signals)]));
    const { id } = stand;
    if (stand[MARK] === 'given') return (this.#held.get(id) ?? gone()).value;
    if (stand[MARK] === 'callback') return (...args: unknown[]) => this.post({ callback: id, args });
    const controller = new AbortController();
    this.#signals.set(id, controller);
    signals.push(id);
    if ((stand as Extract<Stand, { aborted: boolean }>).aborted)
      controller.abort((stand as { reason?: unknown }).reason);
    return controller.signal;
  }

  /** A value for the page: what stands for it, where it is an object that stays here. */
  #sent(value: unknown, signals: readonly number[]): unknown {
    const kind = kindOf(value);
    if (!kind) return value;
    const id = this.#hold(value, kind, signals);
    if (kind === 'engine') {
      const engine = value as Engine;
      engine.addEventListener('lost', (event) => {
        const { reason, message } = (event as CustomEvent<GPUDeviceLostInfo>).detail;
        this.post({ lost: { reason, message } });
      });
      engine.addEventListener('recovered', () => this.post({ recovered: [id, this.#told(engine, kind, 'data')] }));
    }
    return { [MARK]: 'object', id, kind, told: this.#told(value, kind, 'data', 'state', 'object') } satisfies Stand;
  }

  #hold(value: unknown, kind: Kind, signals: readonly number[] = []): number {
    const id = this.#ids.get(value) ?? ++this.#last;
    this.#ids.set(value, id);
    this.#held.set(id, { value, kind, signals });
    return id;
  }

  #told(value: unknown, kind: Kind, ...which: string[]): Told {
    const names = Object.entries(KINDS[kind]).filter(([, how]) => which.includes(how));
    return Object.fromEntries(
      names.map(([name, how]) => {
        try {
          const told = (value as Record<string, unknown>)[name];
          return [name, { value: how === 'object' ? this.#named(told, name as Kind) : dataOf(told) }];
        } catch (error) {
          return [name, { error: sendError(error) }];
        }
      }),
    );
  }

  /** An object within another, whose kind has its name. */
  #named(value: unknown, kind: Kind): Stand {
    return { [MARK]: 'object', id: this.#hold(value, kind), kind, told: this.#told(value, kind, 'data') };
  }

  /** What the object that was asked, and the engine, have become. */
  #states(on: number): State[] {
    return [...this.#held]
      .filter(([id, { kind }]) => id === on || kind === 'engine')
      .map(([id, { value, kind }]): State => [id, this.#told(value, kind, 'state')]);
  }

  #free(id: number): void {
    if (id === STATICS) {
      for (const { value, kind } of this.#held.values()) if (kind === 'engine') value.dispose();
      this.port.close();
      return;
    }
    const { value, signals } = this.#held.get(id) ?? {};
    this.#forget(signals);
    this.#held.delete(id);
    this.#ids.delete(value);
    if (value && Symbol.dispose in value) value.dispose();
    else value?.return?.().catch(() => {});
  }
}

const gone = (): never => {
  throw new TilewrightError('disposed', 'what was asked was disposed of');
};

/** Data of an object; what it computes stays here. */
const dataOf = (value: unknown): unknown =>
  isPlain(value) ? Object.fromEntries(Object.entries(value).filter(([, part]) => typeof part !== 'function')) : value;

/** What stays in the worker, and the page has something in place of. */
function kindOf(value: unknown): Kind | undefined {
  if (value instanceof Engine) return 'engine';
  if (Object.prototype.toString.call(value) === '[object AsyncGenerator]') return 'stream';
  const { task } = (value ?? {}) as { task?: Kind };
  return !isPlain(value) && task && Object.hasOwn(KINDS, task) ? task : undefined;
}

/** The memory of all arrays in a value, each once. */
function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) found.add(value.buffer as ArrayBuffer);
  else if (Array.isArray(value) || isPlain(value)) for (const part of Object.values(value)) buffersOf(part, found);
  return [...found];
}

globalThis.addEventListener('message', (event) => {
  const { data, ports } = event as MessageEvent<Partial<Opening> | null>;
  if (data?.[MARK] !== 'open') return;
  here.base ??= data.base;
  const host = new Host(ports[0]!);
  const opened = (): void => host.post({ answer: OPENED, value: undefined, states: [] });
  // Held for good: whoever else asks for it gets it when this worker has ended.
  const hold = (): Promise<never> => {
    opened();
    return new Promise(() => {});
  };
  if (navigator.locks) navigator.locks.request(data.lock!, hold).catch(opened);
  else opened();
});
