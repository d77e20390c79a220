import { TilewrightError } from '../../src/index.ts';

/** A camera in a video element: it runs until it is stopped. */
export class Camera {
  #stream: MediaStream | undefined;

  constructor(readonly video: HTMLVideoElement) {}

  get running(): boolean {
    return this.#stream !== undefined;
  }

  /** Errors: `not-found` where there is no camera or it may not be used. */
  async start(): Promise<void> {
    try {
      if (!navigator.mediaDevices) throw new Error('this page may not ask for a camera');
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 640 } },
      });
      this.video.srcObject = this.#stream;
      await this.video.play();
    } catch (cause) {
      this.stop();
      throw new TilewrightError(
        'not-found',
        `The camera cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          hint: 'Allow the camera for this page in the browser, and see that no other program holds it.',
          cause,
        },
      );
    }
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.video.srcObject = null;
  }
}
