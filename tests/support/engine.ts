import { Engine, type EngineOptions } from '../../src/engine.ts';
import { WANTED_FEATURES } from '../../src/gpu/adapter.ts';
import type { Caps } from '../../src/gpu/gpu.ts';

/** What a device may be made to do without, or be taken for. */
interface Mode {
  readonly title: string;
  readonly device?: EngineOptions;
  readonly caps?: Partial<Caps>;
}

/** `every` forces nothing on the device: its run leaves out no candidate and no float type, however long they take to compile. */
export const MODES = {
  bare: { title: 'without optional features', device: { without: WANTED_FEATURES } },
  limits: { title: "within WebGPU's default limits", device: { defaultLimits: true } },
  gpu: { title: 'planned as for a GPU', caps: { software: false } },
  lean: { title: 'planned as for a GPU of few registers', caps: { software: false, manyRegisters: false } },
  every: { title: 'as it is' },
} as const satisfies Record<string, Mode>;

/** An engine in a mode. */
export async function forcedEngine({ device, caps }: Mode): Promise<Engine> {
  const engine = await Engine.create(device);
  Object.assign(engine.gpu.caps, caps);
  return engine;
}

/** The mode of this whole run, `npm test -- exhaustive`; undefined in any other. */
export const forced: Mode | undefined = MODES[import.meta.env['TILEWRIGHT_MODE'] as keyof typeof MODES];

let shared: Promise<Engine> | undefined;

/** One engine for all tests of a run that want no other: a device costs time, and so do kernels. After a loss there is a new one. */
export function testEngine(): Promise<Engine> {
  shared ??= forcedEngine(forced ?? MODES.every).then((engine) => {
    engine.device.lost.then(() => {
      shared = undefined;
    });
    return engine;
  });
  return shared;
}

export const freshEngine = (options: EngineOptions = {}): Promise<Engine> => Engine.create(options);
