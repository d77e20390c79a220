// Runs on the thread of the sound: hands on what it hears, `size` samples at a time.

declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Blocks extends AudioWorkletProcessor {
  #block: Float32Array<ArrayBuffer>;
  #filled = 0;

  constructor({ processorOptions }: AudioWorkletNodeOptions) {
    super();
    this.#block = new Float32Array(processorOptions.size);
  }

  process([input]: readonly Float32Array[][]): boolean {
    for (const sample of input?.[0] ?? []) {
      this.#block[this.#filled++] = sample;
      if (this.#filled < this.#block.length) continue;
      const full = this.#block;
      this.#block = new Float32Array(full.length);
      this.#filled = 0;
      this.port.postMessage(full, [full.buffer]);
    }
    return true;
  }
}

registerProcessor('blocks', Blocks);
