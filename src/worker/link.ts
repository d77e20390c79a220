import { TilewrightError } from '../errors.ts';
import type { Kind } from './members.ts';
import {
  type FromWorker,
  MARK,
  OPENED,
  type Opening,
  receiveError,
  STATICS,
  type Stand,
  standOf,
  type Told,
  type ToWorker,
} from './messages.ts';
import { outgoing } from './outgoing.ts';
import { checkAlive, remote, retire, type Sent, type Side, type Stub } from './remote.ts';

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Where the objects are that stand for those of a worker. */
const places = new WeakMap<object, { readonly link: Link; readonly id: number; readonly kind: Kind }>();

/** The page's end of the port to one engine in a worker. */
export class Link implements Side {
  readonly #port: MessagePort;
  readonly #stubs = new Map<number, Stub>();
  readonly #calls = new Map<number, Call>();
  readonly #callbacks = new Map<number, (...args: unknown[]) => void>();
  readonly #dropped = new FinalizationRegistry<{ stub?: Stub }>(({ stub }) => stub && this.free(stub.id));
  readonly #end = new AbortController();
  readonly events = new EventTarget();
  #lost!: Promise<GPUDeviceLostInfo>;
  #onLost: (info: GPUDeviceLostInfo) => void = () => {};
  #last = OPENED;
  #ended: (() => TilewrightError) | undefined;

  /** `own`: the worker is the caller's, and goes on when the engine is disposed of. */
  constructor(
    private readonly worker: Worker,
    private readonly own: boolean,
  ) {
    this.#watch();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#receive(data);
    this.#stubs.set(STATICS, remote(this, STATICS, 'statics', {}));
    const base = globalThis.document?.baseURI ?? globalThis.location?.href;
    worker.postMessage({ [MARK]: 'open', base, lock: this.#lock } satisfies Opening, [port2]);
  }

  /** Of the device that the engine has now. */
  get lost(): Promise<GPUDeviceLostInfo> {
    return this.#lost;
  }

  #watch(): void {
    this.#lost = new Promise((resolve) => {
      this.#onLost = resolve;
    });
  }

  /** Held in the worker as long as that lives. */
  readonly #lock = `tilewright ${crypto.randomUUID()}`;

  /** Resolves once the worker is there. Error: `worker-lost`. */
  async opened(): Promise<void> {
    const failed = (event: Event): void => {
      event.preventDefault?.();
      const why = (event as Partial<ErrorEvent>).message;
      this.end(() => workerLost(`the worker could not be started${why ? `: ${why}` : ''}`, NOT_STARTED));
    };
    this.worker.addEventListener('error', failed);
    await new Promise((resolve, reject) => this.#calls.set(OPENED, { resolve, reject }));
    this.worker.removeEventListener('error', failed);
    const died = (): void => this.end(() => workerLost('the worker has ended', ENDED));
    navigator.locks?.request(this.#lock, { signal: this.#end.signal }, died).catch(() => {}); // the engine went first
  }

  get statics(): object {
    return this.#stubs.get(STATICS)!.value;
  }

  send(on: Stub, name: string, given: readonly unknown[]): Sent {
    const release: (() => void)[] = [];
    const signals: AbortSignal[] = [];
    const done = (): void => {
      for (const letGo of release.splice(0)) letGo();
    };
    const explain = (error: unknown): unknown => {
      const { reason } = signals.find(({ aborted }) => aborted) ?? {};
      if (reason === undefined || !(error instanceof TilewrightError) || error.code !== 'aborted') return error;
      return new TilewrightError('aborted', error.message, { cause: reason });
    };
    const port = {
      idOf: (value: object) => this.#idOf(value),
      callback: (listener: (...args: unknown[]) => void) => {
        const id = ++this.#last;
        this.#callbacks.set(id, listener);
        release.push(() => this.#callbacks.delete(id));
        return id;
      },
      signal: (signal: AbortSignal) => {
        const { aborted, reason } = signal;
        const stand = { [MARK]: 'signal', id: ++this.#last, aborted, reason } as const;
        const abort = (): void => {
          Object.assign(stand, { aborted: true, reason: signal.reason }); // where the call still waits for a picture
          if (!this.#ended) this.#post({ abort: stand.id, reason: signal.reason });
        };
        signal.addEventListener('abort', abort);
        release.push(() => signal.removeEventListener('abort', abort));
        signals.push(signal);
        return stand;
      },
    };
    const alive = (): void => {
      if (this.#ended) throw this.#ended();
      checkAlive(on);
    };
    const start = async (): Promise<unknown> => {
      alive();
      const { args, transfer, later } = outgoing(on.kind === 'statics' ? `Engine.${name}` : name, given, port);
      const call = ++this.#last;
      if (later) {
        await later;
        alive();
      }
      const answer = new Promise((resolve, reject) => this.#calls.set(call, { resolve, reject }));
      try {
        this.#post({ call, on: on.id, name, args }, transfer);
      } catch (cause) {
        this.#calls.delete(call);
        throw new TilewrightError('invalid-argument', `${name}: ${(cause as Error).message}`, { cause });
      }
      return answer;
    };
    const answer = start().catch((error) => {
      throw explain(error);
    });
    return { answer, done, explain };
  }

  /** Error: `invalid-argument` for an object of another engine. */
  #idOf(value: object): number | undefined {
    const place = places.get(value);
    if (place && place.link !== this)
      throw new TilewrightError('invalid-argument', `the ${place.kind} that was given is another engine's`);
    return place?.id;
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if ('callback' in message) this.#callbacks.get(message.callback)?.(...message.args);
    else if ('lost' in message) {
      this.#onLost(message.lost as GPUDeviceLostInfo);
      this.events.dispatchEvent(new CustomEvent('lost', { detail: message.lost }));
    } else if ('recovered' in message) {
      const [id, told] = message.recovered;
      Object.assign(this.#stubs.get(id)?.told ?? {}, told);
      this.#watch();
      this.events.dispatchEvent(new Event('recovered'));
    } else this.#settle(message);
  }

  #settle(message: Extract<FromWorker, { answer: number }>): void {
    for (const [id, told] of message.states) Object.assign(this.#stubs.get(id)?.told ?? {}, told);
    const call = this.#calls.get(message.answer);
    this.#calls.delete(message.answer);
    if ('error' in message) call?.reject(receiveError(message.error));
    else call?.resolve(this.#received(message.value));
  }

  /** A value of an answer: an object of the worker gets one that stands for it. */
  #received(value: unknown): unknown {
    const stand = typeof value === 'object' && value !== null ? standOf(value) : undefined;
    if (stand?.[MARK] !== 'object') return value;
    const { id, kind } = stand as Extract<Stand, { told: Told }>;
    const told = Object.entries(stand.told).map(([name, one]): [string, Told[string]] => [
      name,
      'error' in one ? one : { value: this.#received(one.value) },
    ]);
    const stub = remote(this, id, kind, Object.fromEntries(told));
    this.#stubs.set(id, stub);
    places.set(stub.value, { link: this, id, kind });
    return kind === 'stream' ? stub : stub.value;
  }

  free(id: number): void {
    this.#stubs.delete(id);
    if (!this.#ended) this.#post({ free: id });
  }

  freeWith(value: object, held: { stub?: Stub }): void {
    this.#dropped.register(value, held);
  }

  dispose(): void {
    const message = 'the engine was disposed of';
    this.#onLost({ reason: 'destroyed', message } as GPUDeviceLostInfo);
    this.end(() => new TilewrightError('disposed', message));
  }

  /** Ends everything: calls under way and later ones fail with this error. */
  end(why: () => TilewrightError): void {
    if (this.#ended) return;
    this.#ended = why;
    this.#end.abort();
    if (this.own) this.#post({ free: STATICS });
    else this.worker.terminate();
    this.#port.close();
    for (const { reject } of this.#calls.values()) reject(why());
    this.#calls.clear();
    for (const stub of this.#stubs.values()) retire(stub);
    this.#onLost({ reason: 'unknown', message: why().message } as GPUDeviceLostInfo);
  }
}

const NOT_STARTED =
  "Its file lies beside the library's. A bundler that leaves it out takes 'tilewright/worker-host' as an entry of its own: give { worker: new Worker(…, { type: 'module' }) }.";
const ENDED = 'Create a new engine and load the models again.';

const workerLost = (message: string, hint: string): TilewrightError =>
  new TilewrightError('worker-lost', message, { hint });
