import { Capture } from './capture.ts';

/** A camera in a video element: it runs until it is stopped. */
export class Camera {
  readonly #capture = new Capture('camera');

  constructor(readonly video: HTMLVideoElement) {}

  get running(): boolean {
    return this.#capture.running;
  }

  /** Asks for a camera, `width` pixels wide if it can: as `Capture.start`. */
  start(width: number): Promise<boolean> {
    return this.#capture.start({ facingMode: 'environment', width: { ideal: width } }, (stream) => {
      this.video.srcObject = stream;
      return this.video.play();
    });
  }

  stop(): void {
    this.#capture.stop();
    this.video.srcObject = null;
  }
}
