import type { Picture } from '../../src/index.ts';
import { decodePicture, type PictureSource } from '../../src/vision/decode.ts';
import { Camera } from './camera.ts';
import { byId, make } from './dom.ts';
import { acceptDrops } from './drop.ts';
import type { ProblemBox } from './problem.ts';

interface Sample {
  readonly file: string;
  readonly title: string;
}

export interface PictureInputOptions {
  readonly problems: ProblemBox;
  /** The samples: a folder with the list `samples.json`. */
  readonly samples: URL;
  /** The width that is asked of a camera, in pixels. */
  readonly cameraWidth: number;
  /** Works on the picture that is shown now. A camera's next frame waits for it. */
  onPicture(picture: Picture): Promise<unknown>;
  /** Works on what a camera shows now, instead of on a picture of it. The next frame waits for it. */
  onCamera?(video: HTMLVideoElement): Promise<unknown>;
  /** Takes files that are no pictures, and says whether it did. */
  onOtherFiles?(files: readonly File[]): boolean;
}

/**
 * The pictures of a page: samples, files that are picked, dropped or pasted, a camera. What is shown is the latest: a
 * picture whose decoding ends after that of a later one is left out. Finds its elements by their ids.
 */
export class PictureInput {
  /** What is shown. */
  picture: Picture | undefined;
  readonly #preview = byId('preview', HTMLCanvasElement);
  readonly #camera = new Camera(byId('camera', HTMLVideoElement));
  readonly #toggle = byId('camera-toggle', HTMLButtonElement);
  readonly #snapshot = byId('snapshot', HTMLButtonElement);
  readonly #samples = byId('samples', HTMLElement);
  #taken = 0;
  #cameras = 0;

  constructor(private readonly options: PictureInputOptions) {
    this.#preview.setAttribute('data-empty', '');
    const file = byId('file', HTMLInputElement);
    byId('open', HTMLButtonElement).addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
      void this.#takeFiles([...(file.files ?? [])]);
      file.value = '';
    });
    acceptDrops((files) => this.#takeFiles(files));
    addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) void this.#takeFiles(files);
    });
    this.#toggle.addEventListener('click', () => {
      if (!this.live) void this.#startCamera();
      else if (options.onCamera) void this.#freeze('A frame of the camera');
      else this.stopCamera();
    });
    this.#snapshot.addEventListener('click', () => void this.#freeze('A snapshot of the camera'));
  }

  /** Whether a camera is on. */
  get live(): boolean {
    return this.#camera.running;
  }

  /** Offers the samples, and takes the first where nothing is shown yet. */
  async showSamples(): Promise<void> {
    const { samples } = this.options;
    const list = (await (await fetch(new URL('samples.json', samples))).json()) as Sample[];
    const buttons = list.map(({ file, title }) => {
      const src = new URL(file, samples).href;
      const button = make(
        'button',
        { type: 'button', title, 'aria-pressed': 'false' },
        make('img', { src, alt: title, width: 256, height: 256 }),
      );
      button.addEventListener('click', () => this.#takeStill(fetchBlob(src), title, button));
      return button;
    });
    this.#samples.replaceChildren(...buttons.map((button) => make('li', {}, button)));
    if (!this.picture && !this.live) buttons[0]?.click();
  }

  stopCamera(): void {
    this.#camera.stop();
    this.#showCamera();
  }

  /** The camera goes off, and what it showed is the picture. */
  async #freeze(name: string): Promise<void> {
    const frame = decodePicture(this.#camera.video);
    await frame.catch(() => {}); // told where it is taken
    const isFocused = document.activeElement === this.#snapshot;
    this.stopCamera();
    if (isFocused) this.#toggle.focus(); // the button has gone
    await this.#take(frame, name);
  }

  /** Shows a picture and works on it. A broken one is told, and what is shown stays. */
  async #take(source: PictureSource | Promise<PictureSource>, name: string): Promise<void> {
    const turn = ++this.#taken;
    try {
      const picture = await decodePicture(await source);
      if (turn !== this.#taken) return;
      this.picture = picture;
      Object.assign(this.#preview, { width: picture.width, height: picture.height });
      this.#preview.getContext('2d')?.putImageData(picture as ImageData, 0, 0);
      this.#preview.setAttribute('aria-label', name);
      this.#preview.removeAttribute('data-empty');
      await this.options.onPicture(picture);
    } catch (error) {
      if (turn !== this.#taken) return;
      this.stopCamera();
      this.options.problems.show(error);
    }
  }

  async #takeFiles(files: readonly File[]): Promise<void> {
    if (this.options.onOtherFiles?.(files)) return;
    const file = files.find(({ type }) => type.startsWith('image/')) ?? files[0];
    if (file) await this.#takeStill(file, file.name);
  }

  /** A picture that is no camera's: the camera goes off. */
  async #takeStill(source: Blob | Promise<Blob>, name: string, sample?: HTMLElement): Promise<void> {
    this.stopCamera();
    this.options.problems.clear();
    this.#pressSample(sample);
    await this.#take(source, name);
  }

  #pressSample(pressed?: HTMLElement): void {
    for (const button of this.#samples.querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button === pressed));
  }

  /** Every frame is worked on, until a snapshot is taken or the camera goes off. */
  async #startCamera(): Promise<void> {
    this.options.problems.clear();
    try {
      if (!(await this.#camera.start(this.options.cameraWidth))) return;
    } catch (error) {
      this.options.problems.show(error);
      return;
    }
    this.#pressSample();
    this.#showCamera();
    // Of a camera before this one a frame may still be worked on: its turn is over.
    const camera = ++this.#cameras;
    const isOn = (): boolean => this.live && camera === this.#cameras;
    const { video } = this.#camera;
    while (isOn()) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (isOn()) await (this.options.onCamera?.(video) ?? this.#take(video, 'A frame of the camera'));
    }
  }

  #showCamera(): void {
    this.#camera.video.hidden = !this.live;
    this.#preview.hidden = this.live;
    this.#snapshot.hidden = !this.live;
    this.#toggle.setAttribute('aria-pressed', String(this.live));
    this.#toggle.textContent = this.live ? 'Stop the camera' : 'Camera';
  }
}

const fetchBlob = async (address: string): Promise<Blob> => (await fetch(address)).blob();
