import { type Progress, TilewrightError } from '../../src/index.ts';
import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId, copyOnClick, facts, make } from '../shared/dom.ts';
import { acceptDrops } from '../shared/drop.ts';
import { bytes, count, milliseconds, percent, whole } from '../shared/format.ts';
import { LoadProgress } from '../shared/load-progress.ts';
import { type Loaded, ModelLoader } from '../shared/loader.ts';
import { ProblemBox } from '../shared/problem.ts';
import { SpeechDetector, STEP, secondsOf } from './detector.ts';
import { decodeSound, Microphone, type Sound } from './sound.ts';
import { drawTrack, Track, type View } from './track.ts';

const MODEL = new URL('../../weights/silero-vad/silero_vad_v5.onnx', document.baseURI);
/** Steps of a microphone that are in sight: 15 s. */
const IN_SIGHT = 469;

const problems = new ProblemBox(byId('problem', HTMLElement));
const progress = byId('progress', HTMLElement);
const canvas = byId('track', HTMLCanvasElement);
const status = byId('status', HTMLElement);
const spoken = byId('spoken', HTMLElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const listen = byId('microphone', HTMLButtonElement);
const file = byId('file', HTMLInputElement);

const loader = new ModelLoader<SpeechDetector, URL>({
  open: SpeechDetector.load,
  progress,
  problems,
  onLoaded(loaded) {
    showFacts(loaded);
    if (waiting) void hear(waiting.sound, waiting.name);
  },
});
const microphone = new Microphone();

let track = new Track();
let view: View = { first: 0, count: IN_SIGHT };
/** What was given before there was a model. */
let waiting: { sound: Sound; name: string } | undefined;
/** What is heard, and when that has ended. */
let hearing: { stopped: AbortController; end: Promise<void> } | undefined;

/** Hears a sound from its beginning, with nothing in mind; what is heard before ends first. */
async function hear(sound: Sound, name: string): Promise<void> {
  const detector = loader.current?.model;
  if (!detector) {
    waiting = { sound, name };
    return;
  }
  waiting = undefined;
  const before = hearing;
  const stopped = new AbortController();
  let ended = (): void => {};
  const mine = {
    stopped,
    end: new Promise<void>((resolve) => {
      ended = resolve;
    }),
  };
  hearing = mine;
  before?.stopped.abort();
  await before?.end;
  try {
    if (hearing === mine) await hearAll(detector, sound, name, stopped.signal);
  } catch (error) {
    // What comes after, or another model, has the page.
    if (hearing === mine && loader.current?.model === detector) {
      if (!stopped.signal.aborted) problems.show(error, isLost(error) ? () => loader.load(MODEL) : undefined);
    }
  } finally {
    ended();
    if (hearing === mine) {
      hearing = undefined;
      if (sound === microphone && !stopped.signal.aborted) microphone.stop(); // what aborts has stopped it, and may have started it again
      progress.replaceChildren();
      showHearing();
    }
  }
}

async function hearAll(detector: SpeechDetector, sound: Sound, name: string, signal: AbortSignal): Promise<void> {
  detector.reset();
  const heard = new Track();
  track = heard;
  spoken.textContent = 'Listening';
  showHearing();
  const bar = new LoadProgress();
  const onProgress = (step: Progress): void => {
    bar.update(step);
    if (!bar.element.isConnected) progress.replaceChildren(bar.element);
  };
  let ms = 0;
  const show = (): void => {
    if (track !== heard) return;
    const steps = heard.probabilities.length;
    view = sound.steps ? { first: 0, count: sound.steps } : { first: Math.max(0, steps - IN_SIGHT), count: IN_SIGHT };
    draw();
    showResult(name, sound, ms / Math.max(1, steps - 1));
  };
  let frame = 0;
  try {
    for await (const block of sound.blocks()) {
      const start = performance.now();
      const probability = await detector.next(block, { signal, onProgress });
      if (heard.probabilities.length)
        ms += performance.now() - start; // the first compiles
      else progress.replaceChildren();
      heard.add(block, probability);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(show);
    }
  } finally {
    cancelAnimationFrame(frame);
    show();
    spoken.textContent = status.textContent;
  }
}

const isLost = (error: unknown): boolean => error instanceof TilewrightError && error.code === 'device-lost';

const draw = (): void => drawTrack(canvas, track, view);

const clock = (steps: number): string => `${secondsOf(steps).toFixed(2)} s`;

function showHearing(): void {
  const on = hearing !== undefined;
  if (!on && document.activeElement === stop) listen.focus();
  stop.hidden = !on || microphone.running;
  copy.disabled = on || !track.probabilities.length;
  canvas.setAttribute('aria-busy', String(on));
  listen.setAttribute('aria-pressed', String(microphone.running));
  listen.textContent = microphone.running ? 'Stop the microphone' : 'Microphone';
}

function showResult(name: string, sound: Sound, ms: number): void {
  const { segments, probabilities } = track;
  const spoken = segments.reduce((sum, { start, end }) => sum + end - start, 0);
  const steps = probabilities.length;
  const share = steps ? spoken / steps : 0;
  status.textContent = segments.length
    ? `Speech in ${clock(spoken)} of ${clock(steps)}, ${whole(segments.length)} ${segments.length === 1 ? 'part' : 'parts'}`
    : `No speech in ${clock(steps)}`;
  canvas.setAttribute('aria-label', `${name}: ${status.textContent}`);
  byId('segments', HTMLElement).replaceChildren(
    ...segments.map(({ start, end }) =>
      make(
        'li',
        {},
        make('span', {}, `${secondsOf(start).toFixed(2)} – ${clock(end)}`),
        make('span', { class: 'soft' }, percent(mean(probabilities.slice(start, end)))),
      ),
    ),
  );
  byId('totals', HTMLElement).replaceChildren(
    facts({
      Sound: name,
      Heard: `${clock(steps)}${sound.steps ? ` of ${clock(sound.steps)}` : ''}`,
      Speech: `${clock(spoken)}, ${percent(share)}`,
      'A step of 32 ms': milliseconds(ms),
      ...(sound.steps === undefined && { 'Behind the microphone': clock(sound.waiting) }),
    }),
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function showFacts({ model: { model }, ms }: Loaded<SpeechDetector, URL>): void {
  byId('facts', HTMLElement).replaceChildren(
    facts({
      Input: `${whole(STEP)} samples at 16 kHz`,
      Parameters: count(model.parameters),
      'Weights, file': bytes(model.info.weightBytes.file),
      'Ready after': milliseconds(ms),
    }),
  );
}

// Recordings

let taken = 0;

/** Hears a recording; of several the last that was given. One that cannot be decoded is told. */
async function takeFile(blob: File): Promise<void> {
  const turn = ++taken;
  microphone.stop();
  hearing?.stopped.abort();
  problems.clear();
  try {
    const sound = await decodeSound(blob);
    if (turn === taken) await hear(sound, blob.name);
  } catch (error) {
    if (turn === taken) problems.show(error);
  }
}

byId('open', HTMLButtonElement).addEventListener('click', () => file.click());
file.addEventListener('change', () => {
  if (file.files?.[0]) void takeFile(file.files[0]);
  file.value = '';
});
acceptDrops(([first]) => first && takeFile(first));

// The microphone

async function startMicrophone(): Promise<void> {
  const turn = ++taken;
  hearing?.stopped.abort();
  problems.clear();
  try {
    if (!(await microphone.start()) || turn !== taken) return;
    showHearing();
    await hear(microphone, 'Microphone');
  } catch (error) {
    if (turn !== taken) return;
    microphone.stop();
    problems.show(error);
  }
}

function stopHearing(): void {
  taken++;
  microphone.stop();
  hearing?.stopped.abort();
  waiting = undefined;
  showHearing();
}

listen.addEventListener('click', () => (microphone.running ? stopHearing() : startMicrophone()));
stop.addEventListener('click', stopHearing);
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stopHearing();
});
copyOnClick(copy, () =>
  ['seconds,probability', ...track.probabilities.map((value, i) => `${secondsOf(i)},${value}`)].join('\n'),
);
new ResizeObserver(draw).observe(canvas);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

const availability = await showAdapter();
if (availability.available) {
  await loader.load(MODEL);
} else {
  byId('work', HTMLElement).hidden = true;
  byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
}
