import type { ImageClassifier, Prediction } from '../../src/index.ts';
import { decodePicture } from '../../src/vision/decode.ts';
import { type Picture, preprocess } from '../../src/vision/preprocess.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, facts, make } from '../shared/dom.ts';
import { acceptDrops } from '../shared/drop.ts';
import { bytes, count, milliseconds, percent, whole } from '../shared/format.ts';
import { type Loaded, ModelLoader } from '../shared/loader.ts';
import { ModelPicker } from '../shared/model-picker.ts';
import { ProblemBox } from '../shared/problem.ts';
import { drawBars } from './bars.ts';
import { Camera } from './camera.ts';

const WEIGHTS = new URL('../../weights/', document.baseURI);

const problems = new ProblemBox(byId('problem', HTMLElement));
const preview = byId('preview', HTMLCanvasElement);
const camera = new Camera(byId('camera', HTMLVideoElement));
const cameraToggle = byId('camera-toggle', HTMLButtonElement);
const snapshot = byId('snapshot', HTMLButtonElement);
const samples = byId('samples', HTMLElement);
const fileInput = byId('file', HTMLInputElement);
const time = byId('time', HTMLElement);
const spoken = byId('spoken', HTMLElement);

const loader = new ModelLoader<ImageClassifier>({
  task: 'image-classification',
  otherTask: 'The page Generate takes models that write text.',
  progress: byId('progress', HTMLElement),
  problems,
  onLoaded(loaded) {
    showFacts(loaded);
    void classify();
  },
});
const picker = new ModelPicker({
  shipped: { name: 'ResNet-20', url: new URL('resnet20-cifar10/', WEIGHTS).href },
  dtypes: ['float32', 'int8'],
  onChoose: (choice) => loader.load(choice),
});

function showFacts({ model, ms }: Loaded<ImageClassifier>): void {
  const { info, preprocessing, labels } = model;
  const { file, device } = info.weightBytes;
  byId('facts', HTMLElement).replaceChildren(
    facts({
      Network: `${info.architecture}, ${whole(labels.length)} classes`,
      Input: `${preprocessing.size.join(' × ')} pixels`,
      Parameters: count(info.parameters),
      'One image': `${count(info.macs)} MAC`,
      'Weights, file': bytes(file),
      'Weights, GPU': bytes(device),
      'Ready after': milliseconds(ms),
    }),
  );
}

// One picture at a time, and always the latest: what comes while another is at work replaces what waits.

let picture: Picture | undefined;
let waiting = false;
let working = false;

async function classify(): Promise<void> {
  waiting = true;
  if (working) return;
  working = true;
  while (waiting && picture && loader.current) {
    waiting = false;
    const { model } = loader.current;
    const taken = picture;
    try {
      const start = performance.now();
      const predictions = await model.classify(taken, { topK: 5 });
      showResult(predictions, performance.now() - start);
      showPixels(model, taken);
    } catch (error) {
      if (loader.current?.model !== model) continue; // it was replaced meanwhile, and the picture waits for the other
      stopCamera();
      problems.show(error, () => loader.load(picker.choice));
    }
  }
  working = false;
}

function showResult(predictions: readonly Prediction[], ms: number): void {
  drawBars(byId('bars', HTMLElement), predictions);
  time.textContent = `${milliseconds(ms)} an image`;
  const { label, probability } = predictions[0]!;
  // Of a camera only the changes are read out.
  if (camera.running && spoken.textContent?.startsWith(`${label},`)) return;
  spoken.textContent = `${label}, ${percent(probability)}`;
}

/** The picture after resize and crop, as it goes into the network. */
function showPixels({ preprocessing }: ImageClassifier, from: Picture): void {
  const [height, width] = preprocessing.size;
  const planes = preprocess([from], preprocessing);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = 255 * (planes[c * width * height + i]! * preprocessing.std[c]! + preprocessing.mean[c]!);
    }
    image.data[4 * i + 3] = 255;
  }
  const canvas = byId('pixels', HTMLCanvasElement);
  Object.assign(canvas, { width, height });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  byId('seen', HTMLElement).hidden = false;
}

/** Shows a picture and classifies it. A broken one is told, and what is shown stays. */
async function take(source: Blob | HTMLVideoElement, name: string): Promise<void> {
  try {
    const decoded = await decodePicture(source);
    picture = decoded;
    Object.assign(preview, { width: decoded.width, height: decoded.height });
    preview.getContext('2d')?.putImageData(decoded as ImageData, 0, 0);
    preview.setAttribute('aria-label', name);
    preview.removeAttribute('data-empty');
    await classify();
  } catch (error) {
    stopCamera();
    problems.show(error);
  }
}

async function takeFiles(files: readonly File[]): Promise<void> {
  const image = files.find(({ type }) => type.startsWith('image/'));
  if (files.some(({ name }) => /\.(safetensors|json)$/.test(name))) picker.chooseFiles(files);
  else if (image ?? files[0]) await takeStill((image ?? files[0])!, (image ?? files[0])!.name);
}

/** A picture that is no camera's: the camera goes off. */
async function takeStill(source: Blob, name: string, sample?: HTMLElement): Promise<void> {
  stopCamera();
  problems.clear();
  pressSample(sample);
  await take(source, name);
}

// Samples

interface Sample {
  readonly file: string;
  readonly label: string;
  readonly title: string;
}

function pressSample(pressed?: HTMLElement): void {
  for (const button of samples.querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button === pressed));
}

async function showSamples(): Promise<void> {
  const folder = new URL('samples/', WEIGHTS);
  const list = (await (await fetch(new URL('samples.json', folder))).json()) as Sample[];
  const buttons = list.map(({ file, title }) => {
    const src = new URL(file, folder).href;
    const button = make(
      'button',
      { type: 'button', title, 'aria-pressed': 'false' },
      make('img', { src, alt: title, width: 256, height: 256 }),
    );
    button.addEventListener('click', async () => takeStill(await (await fetch(src)).blob(), title, button));
    return button;
  });
  samples.replaceChildren(...buttons.map((button) => make('li', {}, button)));
  if (!picture && !camera.running) buttons[0]?.click();
}

// Files, drop, paste

byId('open', HTMLButtonElement).addEventListener('click', () => fileInput.click());
fileInput.addEventListener('change', () => {
  void takeFiles([...(fileInput.files ?? [])]);
  fileInput.value = '';
});
acceptDrops(takeFiles);
addEventListener('paste', (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) void takeFiles(files);
});

// Camera: every frame is classified until a snapshot is taken or the camera goes off.

async function startCamera(): Promise<void> {
  problems.clear();
  try {
    await camera.start();
  } catch (error) {
    problems.show(error);
    return;
  }
  pressSample();
  showCamera();
  while (camera.running) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (camera.running) await take(camera.video, 'A frame of the camera');
  }
}

function stopCamera(): void {
  camera.stop();
  showCamera();
}

function showCamera(): void {
  camera.video.hidden = !camera.running;
  preview.hidden = camera.running;
  snapshot.hidden = !camera.running;
  cameraToggle.setAttribute('aria-pressed', String(camera.running));
  cameraToggle.textContent = camera.running ? 'Stop the camera' : 'Camera';
}

cameraToggle.addEventListener('click', () => (camera.running ? stopCamera() : startCamera()));
snapshot.addEventListener('click', async () => {
  await take(camera.video, 'A snapshot of the camera');
  stopCamera();
  cameraToggle.focus();
});

// The page begins

preview.setAttribute('data-empty', '');
const availability = await showAdapter();
if (availability.available) {
  byId('picker', HTMLElement).replaceChildren(picker.element);
  await Promise.all([showSamples(), loader.load(picker.choice)]);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
