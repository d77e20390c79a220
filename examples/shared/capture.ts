import { TilewrightError } from '../../src/index.ts';

/** What a camera or a microphone gives, one stream at a time, until it is stopped. */
export class Capture {
  #stream: MediaStream | undefined;
  #asked = 0;

  constructor(private readonly what: 'camera' | 'microphone') {}

  get running(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Asks for a stream and hands it to `use`. False where it was stopped, or asked again, before there was one.
   * Errors: `not-found` where there is none or it may not be used.
   */
  async start(wanted: MediaTrackConstraints, use: (stream: MediaStream) => Promise<unknown>): Promise<boolean> {
    this.stop();
    const turn = this.#asked;
    try {
      if (!navigator.mediaDevices) throw new Error(`this page may not ask for a ${this.what}`);
      const kind = this.what === 'camera' ? 'video' : 'audio';
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wanted });
      if (turn !== this.#asked) {
        end(stream);
        return false;
      }
      this.#stream = stream;
      await use(stream);
      return turn === this.#asked;
    } catch (cause) {
      if (turn !== this.#asked) return false;
      this.stop();
      throw new TilewrightError(
        'not-found',
        `The ${this.what} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          hint: `Allow the ${this.what} for this page in the browser, and see that no other program holds it.`,
          cause,
        },
      );
    }
  }

  stop(): void {
    this.#asked++;
    if (this.#stream) end(this.#stream);
    this.#stream = undefined;
  }
}

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
