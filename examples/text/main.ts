import { type GraphModel, type Picture, type Progress, TilewrightError } from '../../src/index.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, copyOnClick, facts, make, svg } from '../shared/dom.ts';
import { bytes, count, milliseconds, percent, whole } from '../shared/format.ts';
import { LoadProgress } from '../shared/load-progress.ts';
import { ModelLoader } from '../shared/loader.ts';
import { PictureInput } from '../shared/picture-input.ts';
import { ProblemBox } from '../shared/problem.ts';
import type { Quad } from './geometry.ts';
import { type Line, TextReader, type Times } from './reader.ts';

const WEIGHTS = new URL('../../weights/', document.baseURI);

const problems = new ProblemBox(byId('problem', HTMLElement));
const progress = byId('progress', HTMLElement);
const lines = byId('lines', HTMLElement);
const status = byId('status', HTMLElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const boxes = document.querySelector('#boxes') as SVGSVGElement;

const loader = new ModelLoader<TextReader, URL>({
  open: TextReader.load,
  progress,
  problems,
  onLoaded: () => void (input.picture && read(input.picture)),
});
const load = (): Promise<void> => loader.load(new URL('pp-ocrv4/', WEIGHTS));

const input = new PictureInput({
  problems,
  samples: new URL('samples/text/', WEIGHTS),
  cameraWidth: 1280,
  onPicture: read,
});

let reading: AbortController | undefined;

/** Reads a picture; one that is being read is given up. Lines of a still picture show as they come, a camera's all at once. */
async function read(picture: Picture): Promise<void> {
  reading?.abort();
  const reader = loader.current?.model;
  if (!reader) return;
  const mine = new AbortController();
  reading = mine;
  const { signal } = mine;
  const isLatest = (): boolean => reading === mine;
  const still = !input.live;
  const times: Times = { detect: 0, turn: 0, read: 0 };
  const done: Line[] = [];
  let found = 0;
  const bar = new LoadProgress();
  if (still) {
    problems.clear();
    showLines([]);
    showBoxes(picture, []);
    say('Looking for text');
  }
  showReading(true);
  try {
    const onProgress = (step: Progress): void => {
      if (!isLatest()) return;
      bar.update(step);
      if (!bar.element.isConnected) progress.replaceChildren(bar.element);
    };
    const onFound = (quads: readonly Quad[]): void => {
      found = quads.length;
      if (!isLatest() || !still) return;
      showBoxes(picture, quads);
      say(found ? `Reading ${linesOf(found)}` : '');
    };
    for await (const line of reader.read(picture, { signal, times, onProgress, onFound })) {
      if (!isLatest()) return;
      done.push(line);
      progress.replaceChildren();
      if (still) showLines(done);
    }
    if (!isLatest()) return;
    showLines(done);
    showBoxes(
      picture,
      done.map(({ quad }) => quad),
    );
    showTimes(times, picture, found);
    showFacts(reader);
    say(done.length ? linesOf(done.length) : 'No text found');
  } catch (error) {
    if (!isLatest() || loader.current?.model !== reader) return; // a later picture, or other models, are at work
    input.stopCamera();
    say('Stopped');
    if (!signal.aborted) problems.show(error, isLost(error) ? load : () => read(picture));
  } finally {
    if (isLatest()) {
      reading = undefined;
      progress.replaceChildren();
      showReading(false);
    }
  }
}

/** Says how it stands; the same is not said again, frame after frame. */
function say(text: string): void {
  if (status.textContent !== text) status.textContent = text;
}

const linesOf = (count: number): string => `${whole(count)} ${count === 1 ? 'line' : 'lines'}`;
const isLost = (error: unknown): boolean => error instanceof TilewrightError && error.code === 'device-lost';

function showReading(on: boolean): void {
  lines.setAttribute('aria-busy', String(on));
  if (!on && document.activeElement === stop) copy.focus();
  stop.hidden = !on;
}

/** The lines, best copied as a whole; the one under the pointer is marked in the picture. */
function showLines(read: readonly Line[]): void {
  copy.disabled = !read.length;
  lines.replaceChildren(
    ...read.map(({ text, score }, i) => {
      const item = make(
        'li',
        {},
        make('span', { class: 'said' }, text),
        make('span', { class: 'score', title: 'How sure the network is' }, percent(score)),
      );
      const mark = (on: boolean) => (): void => void boxes.children[i]?.classList.toggle('marked', on);
      item.addEventListener('pointerenter', mark(true));
      item.addEventListener('pointerleave', mark(false));
      return item;
    }),
  );
}

function showBoxes({ width, height }: Picture, quads: readonly Quad[]): void {
  boxes.setAttribute('viewBox', `0 0 ${width} ${height}`);
  boxes.replaceChildren(
    ...quads.map((quad) => {
      const points = quad.map((corner) => corner.map((side) => side.toFixed(1)).join()).join(' ');
      return svg('polygon', { points });
    }),
  );
}

function showTimes({ detect, turn, read }: Times, { width, height }: Picture, found: number): void {
  byId('times', HTMLElement).replaceChildren(
    facts({
      Picture: `${whole(width)} × ${whole(height)} pixels`,
      'Finding lines': milliseconds(detect),
      [`Which way up, ${linesOf(found)}`]: milliseconds(turn),
      [`Reading, ${linesOf(found)}`]: milliseconds(read),
      Together: milliseconds(detect + turn + read),
    }),
  );
}

function showFacts({ models, characters }: TextReader): void {
  const sum = (of: (model: GraphModel) => number): number => models.reduce((all, model) => all + of(model), 0);
  byId('facts', HTMLElement).replaceChildren(
    facts({
      Characters: whole(characters.length - 1),
      Parameters: count(sum(({ parameters }) => parameters)),
      'Weights, files': bytes(sum(({ info }) => info.weightBytes.file)),
      'Weights, GPU': bytes(sum(({ info }) => info.weightBytes.device)),
    }),
  );
}

stop.addEventListener('click', () => reading?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') reading?.abort();
});
copyOnClick(copy, () => [...lines.querySelectorAll('.said')].map(({ textContent }) => textContent).join('\n'));

const availability = await showAdapter();
if (availability.available) {
  await Promise.all([input.showSamples(), load()]);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
