import { Engine, type EngineOptions } from '../../src/engine.ts';

let shared: Promise<Engine> | undefined;

/** One engine for all tests of a file that want no other: a device costs time. */
export function testEngine(): Promise<Engine> {
  shared ??= Engine.create();
  return shared;
}

export const freshEngine = (options: EngineOptions = {}): Promise<Engine> => Engine.create(options);
