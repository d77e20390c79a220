import { TilewrightError } from '../errors.ts';
import { checkArgument, object } from '../options.ts';
import type { Counters } from './counters.ts';
import { Gpu, type Movable, type Recoverer } from './gpu.ts';

/** Asks the caller for a device in place of a lost one; undefined: there shall be none. */
export type AskForDevice = (lost: GPUDeviceLostInfo) => GPUDevice | undefined | Promise<GPUDevice | undefined>;

/** An engine: its device, its events, and whether it is gone. */
interface Owner extends EventTarget {
  readonly gpu: Gpu;
  readonly disposed: boolean;
}

/** Devices that a call gets in place of lost ones at the most, and times that one is asked for. */
const TRIES = 2;

/** Milliseconds between two requests: a browser whose GPU process ended starts another meanwhile. */
const PAUSE_MS = 500;

/**
 * Lets what `owner` has on its device go on after a loss. The new device goes to `use`. `how`: true for one that `own`
 * requests, else who is asked. Error: `invalid-argument` for true without `own`.
 */
export function recoverable(
  owner: Owner,
  use: (gpu: Gpu) => void,
  how: true | AskForDevice,
  own: ((counters: Counters) => Promise<Gpu>) | undefined,
): void {
  if (how === true && !own)
    throw new TilewrightError('invalid-argument', "recover: true would replace the caller's own device", {
      hint: 'Give a function that returns a new device: recover: async (lost) => device.',
    });
  const recovery = new Recovery(async (lost) => {
    const { counters } = owner.gpu; // they go on
    const gpu = how === true ? await own!(counters) : await asked(how, lost, counters);
    if (owner.disposed) {
      gpu?.dispose();
      throw new TilewrightError('disposed', 'the engine was disposed of');
    }
    if (!gpu) return undefined;
    gpu.recovery = recovery;
    use(gpu);
    owner.dispatchEvent(new Event('recovered'));
    return gpu;
  });
  owner.gpu.recovery = recovery;
}

async function asked(ask: AskForDevice, lost: GPUDeviceLostInfo, counters: Counters): Promise<Gpu | undefined> {
  const device = await ask(lost);
  if (!device) return undefined;
  checkArgument('recover', 'device', device, object);
  return new Gpu(device, undefined, false, counters);
}

/** New devices in place of lost ones, and the work that goes on there. */
class Recovery implements Recoverer {
  /** What came after each device that was lost. */
  readonly #after = new WeakMap<Gpu, Promise<Gpu>>();

  /** `request` gives a new device; undefined where the caller wants none. It throws where there is none to be had. */
  constructor(private readonly request: (lost: GPUDeviceLostInfo) => Promise<Gpu | undefined>) {}

  /**
   * Does work on a new device, where the device of `target` is lost before it; `again`, too where that happens meanwhile.
   * Error: `device-lost`.
   */
  async run<T>(target: Movable, work: () => Promise<T>, again = true): Promise<T> {
    let reason: unknown;
    for (let moves = 0; ; ) {
      const { gpu } = target;
      if (gpu.lost && !target.disposed) {
        if (moves++ === TRIES) throw givenUp(reason);
        const next = await this.#next(gpu);
        // Another call may have moved it meanwhile.
        if (target.gpu === gpu && !target.disposed) target.moveTo?.(next);
        continue;
      }
      try {
        return await work();
      } catch (error) {
        if (!again || !isOfLoss(error, gpu, target)) throw error;
        reason = error;
      }
    }
  }

  #next(lost: Gpu): Promise<Gpu> {
    const known = this.#after.get(lost);
    if (known) return known;
    const next = this.#request(lost);
    this.#after.set(lost, next);
    next.catch(() => this.#after.delete(lost)); // a later call asks again
    return next;
  }

  async #request(lost: Gpu): Promise<Gpu> {
    const info = await lost.device.lost;
    for (let tries = 1; ; tries++) {
      try {
        const gpu = await this.request(info);
        if (gpu) return gpu;
      } catch (cause) {
        if (cause instanceof TilewrightError && cause.code === 'disposed') throw cause;
        if (tries === TRIES)
          throw new TilewrightError('device-lost', `the GPU device was lost, and no other could be had: ${cause}`, {
            cause,
            hint: 'Try again later, or reload the page: browsers hold WebGPU back where a GPU was lost several times.',
          });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        continue;
      }
      lost.check(); // throws that it is lost
    }
  }
}

/** Whether `error` came of a device that is lost: it says so, or another call has left the device meanwhile. */
const isOfLoss = (error: unknown, gpu: Gpu, target: Movable): boolean =>
  error instanceof TilewrightError &&
  !target.disposed &&
  ((error.code === 'device-lost' && gpu.lost) || (error.code === 'disposed' && target.gpu !== gpu));

const givenUp = (cause: unknown): TilewrightError =>
  new TilewrightError('device-lost', `the GPU device was lost again on each of ${TRIES} new ones: given up`, {
    cause,
    hint: 'The work may be too much for this GPU or its driver: try a smaller batch or dtype.',
  });
