import { TilewrightError } from '../errors.ts';
import { type Crossing, KINDS, type Kind } from './members.ts';
import { receiveError, type Told } from './messages.ts';

/** A call that was sent: what comes of it, and what lets go of its signals and callbacks. */
export interface Sent {
  readonly answer: Promise<unknown>;
  readonly done: () => void;
  /** The error of a signal has the reason that this page gave. */
  readonly explain: (error: unknown) => unknown;
}

/** What objects of a worker need of the port that leads to it. */
export interface Side {
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** The engine's. */
  readonly events: EventTarget;
  send(on: Stub, name: string, args: readonly unknown[]): Sent;
  /** Lets the worker free an object. */
  free(id: number): void;
  /** Frees an object where the page has dropped what it gave out for it. */
  freeWith(value: object, held: { stub?: Stub }): void;
  /** Ends the engine, its models and the calls under way. */
  dispose(): void;
}

/** What the page has of an object of the worker. */
export interface Stub {
  readonly id: number;
  readonly kind: Kind;
  /** Its data, as they were last told. */
  readonly told: Record<string, Told[string]>;
  /** What callers have. */
  readonly value: object;
  disposed: boolean;
  readonly listeners: Set<() => void>;
}

/** Makes the object that stands for one of the worker. */
export function remote(side: Side, id: number, kind: Kind, told: Told): Stub {
  const value = {};
  const stub: Stub = { id, kind, told: { ...told }, value, disposed: false, listeners: new Set() };
  for (const [name, how] of Object.entries(KINDS[kind]))
    Object.defineProperty(value, name, member(side, stub, name, how));
  if ('dispose' in KINDS[kind]) Object.defineProperty(value, Symbol.dispose, member(side, stub, 'dispose', 'here'));
  return stub;
}

function member(side: Side, stub: Stub, name: string, how: Crossing): PropertyDescriptor {
  switch (how) {
    case 'call':
      return {
        value: async (...args: unknown[]) => {
          const { answer, done } = side.send(stub, name, args);
          return answer.finally(done);
        },
      };
    case 'stream':
      return { value: (...args: unknown[]) => streamed(side, stub, name, args) };
    case 'here':
      return HERE[name]!(side, stub);
    case 'stays':
      return {
        get() {
          throw new TilewrightError('invalid-argument', `${name} of ${stub.kind} stays in the worker`, {
            hint: "In a worker of your own, import 'tilewright' itself: there it can be had.",
          });
        },
      };
    default:
      return { get: () => read(stub.told[name]!), enumerable: true };
  }
}

function read(told: Told[string]): unknown {
  if ('error' in told) throw receiveError(told.error);
  return told.value;
}

/** What the page does itself. */
const HERE: Readonly<Record<string, (side: Side, stub: Stub) => PropertyDescriptor>> = {
  lost: (side) => ({ get: () => side.lost }),
  addEventListener: ({ events }) => ({ value: events.addEventListener.bind(events) }),
  removeEventListener: ({ events }) => ({ value: events.removeEventListener.bind(events) }),
  dispatchEvent: ({ events }) => ({ value: events.dispatchEvent.bind(events) }),
  disposed: (_, stub) => ({ get: () => stub.disposed }),
  alive: (_, stub) => ({ value: () => checkAlive(stub) }),
  onDispose: (_, { listeners }) => ({
    value: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  }),
  dispose: (side, stub) => ({
    value: () => {
      if (stub.disposed) return;
      if (stub.kind === 'engine') return side.dispose();
      retire(stub);
      side.free(stub.id);
    },
  }),
};

/** Marks an object as disposed of, and tells it. */
export function retire(stub: Stub): void {
  if (stub.disposed) return;
  stub.disposed = true;
  for (const listener of stub.listeners) listener();
}

/** Error: `disposed`. */
export function checkAlive({ disposed, kind, told }: Stub): void {
  if (!disposed) return;
  const { name } = (told['info'] as { value?: { name?: string } } | undefined)?.value ?? {};
  throw new TilewrightError('disposed', `the ${name ? `model ${name}` : kind} was disposed of`);
}

/** A generator of the worker, step by step. It ends there when this one ends, is left, or is dropped. */
function streamed(side: Side, on: Stub, name: string, args: readonly unknown[]): AsyncGenerator<unknown, unknown> {
  const held: { stub?: Stub } = {};
  const stream = steps(side, on, name, args, held);
  side.freeWith(stream, held);
  return stream;
}

async function* steps(
  side: Side,
  on: Stub,
  name: string,
  args: readonly unknown[],
  held: { stub?: Stub },
): AsyncGenerator<unknown, unknown> {
  const { answer, done, explain } = side.send(on, name, args);
  try {
    const source = (await answer) as Stub;
    held.stub = source;
    const ask = (method: string): Promise<unknown> => side.send(source, method, []).answer;
    try {
      for (;;) {
        const step = (await ask('next')) as IteratorResult<unknown>;
        if (step.done) return step.value;
        yield step.value;
      }
    } catch (error) {
      throw explain(error);
    } finally {
      await ask('return').catch(() => {}); // what ended it is thrown already
      side.free(source.id);
    }
  } finally {
    done();
  }
}
