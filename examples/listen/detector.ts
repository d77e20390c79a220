import type { Engine, GraphModel, GraphTensor, LoadOptions } from '../../src/index.ts';

/** Samples a second. */
export const RATE = 16_000;
/** Samples of a step: 32 ms. */
export const STEP = 512;
/** Samples before them that a step sees again. */
const CONTEXT = 64;

export const secondsOf = (steps: number): number => (steps * STEP) / RATE;

/** Silero VAD v5: how likely someone speaks, step by step. Its state stays on the device from step to step. */
export class SpeechDetector {
  readonly #input = new Float32Array(CONTEXT + STEP);

  private constructor(readonly model: GraphModel) {}

  /** Errors: those of `engine.load`. */
  static async load(
    engine: Engine,
    address: URL,
    options: Pick<LoadOptions, 'signal' | 'onProgress'>,
  ): Promise<SpeechDetector> {
    return new SpeechDetector(
      (await engine.load(address, { feedback: { stateN: 'state' }, ...options })) as GraphModel,
    );
  }

  /** The probability that the next 512 samples are speech. One call at a time. Errors: those of `GraphModel.run`. */
  async next(
    samples: Float32Array,
    options: { signal?: AbortSignal; onProgress?: LoadOptions['onProgress'] },
  ): Promise<number> {
    this.#input.copyWithin(0, STEP);
    this.#input.set(samples, CONTEXT);
    const { output } = await this.model.run(
      {
        input: { dims: [1, CONTEXT + STEP], data: this.#input },
        sr: { dims: [], data: BigInt64Array.of(BigInt(RATE)) },
      },
      { outputs: ['output'], ...options },
    );
    return ((output as GraphTensor).data as Float32Array)[0]!;
  }

  /** Forgets what it heard. */
  reset(): void {
    this.model.reset();
    this.#input.fill(0);
  }

  dispose(): void {
    this.model.dispose();
  }
}
