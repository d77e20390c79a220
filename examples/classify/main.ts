import type { ImageClassifier, Prediction } from '../../src/index.ts';
import { type Picture, preprocess } from '../../src/vision/preprocess.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, facts } from '../shared/dom.ts';
import { bytes, count, milliseconds, percent, whole } from '../shared/format.ts';
import { type Loaded, ModelLoader, modelFor } from '../shared/loader.ts';
import { ModelPicker } from '../shared/model-picker.ts';
import { PictureInput } from '../shared/picture-input.ts';
import { ProblemBox } from '../shared/problem.ts';
import { drawBars } from './bars.ts';

const WEIGHTS = new URL('../../weights/', document.baseURI);

const problems = new ProblemBox(byId('problem', HTMLElement));
const time = byId('time', HTMLElement);
const spoken = byId('spoken', HTMLElement);

const loader = new ModelLoader<ImageClassifier>({
  open: modelFor('image-classification', 'The page Generate takes models that write text.'),
  progress: byId('progress', HTMLElement),
  problems,
  onLoaded(loaded) {
    showFacts(loaded);
    if (!input.live) void classify();
  },
});
const picker = new ModelPicker({
  offers: [{ name: 'ResNet-20', source: new URL('resnet20-cifar10/', WEIGHTS).href }],
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

const input = new PictureInput({
  problems,
  samples: new URL('samples/', WEIGHTS),
  cameraWidth: 640,
  onPicture: classify,
  onCamera: watch,
  onOtherFiles(files) {
    const isModel = files.some(({ name }) => /\.(safetensors|json)$/.test(name));
    if (isModel) picker.chooseFiles(files);
    return isModel;
  },
});

// One picture at a time, and always the latest: what comes while another is at work replaces what waits.

let waiting = false;
let working = false;

async function classify(): Promise<void> {
  waiting = true;
  if (working) return;
  working = true;
  while (waiting && input.picture && loader.current) {
    waiting = false;
    const { model } = loader.current;
    const taken = input.picture;
    try {
      const start = performance.now();
      const predictions = await model.classify(taken, { topK: 5 });
      showResult(predictions, performance.now() - start);
      showPixels(model, taken);
    } catch (error) {
      if (loader.current?.model !== model) continue; // it was replaced meanwhile, and the picture waits for the other
      input.stopCamera();
      problems.show(error, () => loader.load(picker.choice));
    }
  }
  working = false;
}

/** Classifies what a camera shows. Where the GPU reads the frames nothing comes back but the labels. */
async function watch(video: HTMLVideoElement): Promise<void> {
  const { model } = loader.current ?? {};
  if (!model) return;
  try {
    const where = await model.preprocessesOn(video);
    const start = performance.now();
    const predictions = await model.classify(video, { topK: 5 });
    if (!input.live) return; // a snapshot was taken meanwhile
    byId('seen', HTMLElement).hidden = true;
    showResult(predictions, performance.now() - start, where === 'gpu' ? ', read by the GPU' : ', read by the host');
  } catch (error) {
    if (!input.live || loader.current?.model !== model) return;
    input.stopCamera();
    problems.show(error, () => loader.load(picker.choice));
  }
}

function showResult(predictions: readonly Prediction[], ms: number, how = ''): void {
  drawBars(byId('bars', HTMLElement), predictions);
  time.textContent = `${milliseconds(ms)} an image${how}`;
  const { label, probability } = predictions[0]!;
  // Of a camera only the changes are read out.
  if (input.live && spoken.textContent?.startsWith(`${label},`)) return;
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

// The page begins

const availability = await showAdapter();
if (availability.available) {
  byId('picker', HTMLElement).replaceChildren(picker.element);
  await Promise.all([input.showSamples(), loader.load(picker.choice)]);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
