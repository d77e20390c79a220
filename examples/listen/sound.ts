import { TilewrightError } from '../../src/index.ts';
import { Capture } from '../shared/capture.ts';
import worklet from './blocks.worklet.ts?worker&url';
import { RATE, STEP, secondsOf } from './detector.ts';

/** Sound at 16 kHz, its channels mixed to one, in steps. */
export interface Sound {
  /** How many steps there are; undefined where it goes on. */
  readonly steps: number | undefined;
  /** Steps that wait to be heard. */
  readonly waiting: number;
  blocks(): AsyncIterable<Float32Array> | Iterable<Float32Array>;
}

/** A recording that the browser can decode. Error: `invalid-file`. */
export async function decodeSound(file: Blob): Promise<Sound> {
  const bytes = await file.arrayBuffer();
  let decoded: AudioBuffer;
  try {
    // The context's rate is the one that is decoded to.
    decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  } catch (cause) {
    throw new TilewrightError('invalid-file', 'The sound cannot be decoded', {
      hint: 'Browsers decode WAV, MP3, AAC, FLAC, Ogg and WebM.',
      cause,
    });
  }
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, c) => decoded.getChannelData(c));
  return soundOf(channels);
}

/** Channels of samples at 16 kHz. Zeros fill the last step. */
export function soundOf(channels: readonly Float32Array[]): Sound {
  const steps = Math.ceil((channels[0]?.length ?? 0) / STEP);
  return {
    steps,
    waiting: 0,
    *blocks() {
      for (let i = 0; i < steps; i++) {
        const block = new Float32Array(STEP);
        for (const channel of channels)
          for (const [j, sample] of channel.subarray(i * STEP, (i + 1) * STEP).entries())
            block[j]! += sample / channels.length;
        yield block;
      }
    },
  };
}

/** Steps that a microphone may be ahead of what is heard: 30 s. */
const MOST_WAITING = 938;

/** A microphone, from when it is started until it is stopped. */
export class Microphone implements Sound {
  readonly steps = undefined;
  readonly #capture = new Capture('microphone');
  readonly #waiting: Float32Array[] = [];
  #context: AudioContext | undefined;
  #wake = (): void => {};

  get running(): boolean {
    return this.#capture.running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** As `Capture.start`. */
  start(): Promise<boolean> {
    this.stop();
    return this.#capture.start({ channelCount: 1 }, async (stream) => {
      const source = sourceOf(stream);
      const context = source.context as AudioContext;
      this.#context = context;
      await context.audioWorklet.addModule(worklet);
      if (context.state === 'closed') return;
      const node = new AudioWorkletNode(context, 'blocks', {
        numberOfOutputs: 0,
        processorOptions: { size: STEP, rate: RATE },
      });
      node.port.onmessage = ({ data }) => {
        if (this.#context !== context || this.waiting > MOST_WAITING) return; // nobody hears it
        this.#waiting.push(data);
        this.#wake();
      };
      source.connect(node);
      await context.resume();
    });
  }

  /** What was heard, until it is stopped. Error: `limit-exceeded` where what listens falls 30 s behind. */
  async *blocks(): AsyncGenerator<Float32Array> {
    while (this.running) {
      if (this.waiting > MOST_WAITING)
        throw new TilewrightError(
          'limit-exceeded',
          `Listening is ${Math.round(secondsOf(this.waiting))} s behind the microphone: expected less than ${Math.round(secondsOf(MOST_WAITING))} s`,
          { hint: 'This adapter is slower than speech: listen to a recording.' },
        );
      const block = this.#waiting.shift();
      if (block) yield block;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  stop(): void {
    this.#capture.stop();
    void this.#context?.close();
    this.#context = undefined;
    this.#waiting.length = 0;
    this.#wake();
  }
}

/** A stream in a context of 16 kHz, which resamples it; of the device's rate where the browser connects no other: Firefox. */
function sourceOf(stream: MediaStream): MediaStreamAudioSourceNode {
  const context = new AudioContext({ sampleRate: RATE });
  try {
    return context.createMediaStreamSource(stream);
  } catch {
    void context.close();
    return new AudioContext().createMediaStreamSource(stream);
  }
}
