// Runs on the thread of the sound: hands on what it hears, `size` samples at a time, at `rate`.

import { Averager } from './averager.ts';

declare const sampleRate: number;
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Blocks extends AudioWorkletProcessor {
  readonly #averager: Averager;
  #block: Float32Array<ArrayBuffer>;
  #filled = 0;

  constructor({ processorOptions: { size, rate } }: AudioWorkletNodeOptions) {
    super();
    this.#averager = new Averager(sampleRate / rate);
    this.#block = new Float32Array(size);
  }

  process([input]: readonly Float32Array[][]): boolean {
    for (const sample of input?.[0] ?? []) this.#averager.add(sample, this.#take);
    return true;
  }

  readonly #take = (sample: number): void => {
    this.#block[this.#filled++] = sample;
    if (this.#filled < this.#block.length) return;
    const full = this.#block;
    this.#block = new Float32Array(full.length);
    this.#filled = 0;
    this.port.postMessage(full, [full.buffer]);
  };
}

registerProcessor('blocks', Blocks);
