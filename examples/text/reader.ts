import { openFolder } from '../../src/hub/folder.ts';
import type { Engine, GraphModel, GraphRunOptions, GraphTensor, LoadOptions, Picture } from '../../src/index.ts';
import { charactersOf, decode } from './ctc.ts';
import { type Quad, sizeOf, turned } from './geometry.ts';
import { crop, DETECTOR, LINE, tensorOf } from './pixels.ts';
import { findRegions, inReadingOrder, scaled } from './regions.ts';

/** A line that was read. */
export interface Line {
  readonly quad: Quad;
  readonly text: string;
  /** The mean probability of its characters. */
  readonly score: number;
}

/** What each stage took, in milliseconds. */
export interface Times {
  detect: number;
  turn: number;
  read: number;
}

/** `onProgress`: of weights and kernels, where a shape is new. */
type Running = Pick<GraphRunOptions, 'signal' | 'onProgress'>;

export interface ReadOptions extends Running {
  readonly times: Times;
  /** Called with all that may be lines, before any is read. */
  onFound?(quads: readonly Quad[]): void;
}

/** The detector's input: its longer side at most, and what its sides are multiples of. */
const DETECT = { most: 960, step: 32 };
/** The classifier's input, [height, width]. */
const TURN = [48, 192] as const;
/** A line is turned where the classifier is surer of that than this. */
const SURE = 0.9;
/** Height of the recogniser's input, and what its width is a multiple of: a model keeps the sessions of four shapes. */
const READ = { height: 48, step: 160 };
/** Lines of a lower score are none: the threshold of PaddleOCR. */
const LEAST_SCORE = 0.5;

/** PP-OCRv4: finds lines of text in a picture, and reads them. */
export class TextReader {
  private constructor(
    readonly detector: GraphModel,
    readonly classifier: GraphModel,
    readonly recogniser: GraphModel,
    readonly characters: readonly string[],
  ) {}

  /** Loads the three models and the dictionary from a folder. Errors: those of `engine.load`. */
  static async load(
    engine: Engine,
    folder: URL,
    options: Pick<LoadOptions, 'signal' | 'onProgress'>,
  ): Promise<TextReader> {
    const models: GraphModel[] = [];
    try {
      const dictionary = await (await openFolder(folder, options)).open('ppocr_keys_v1.txt');
      const characters = charactersOf(
        new TextDecoder().decode(await dictionary.slice(0, dictionary.size, options.signal)),
      );
      for (const name of ['PP-OCRv4_det', 'ppocr_mobile_v2.0_cls', 'PP-OCRv4_rec'])
        models.push((await engine.load(new URL(`ch_${name}_infer.onnx`, folder), options)) as GraphModel);
      const [detector, classifier, recogniser] = models as [GraphModel, GraphModel, GraphModel];
      return new TextReader(detector, classifier, recogniser, characters);
    } catch (error) {
      for (const model of models) model.dispose();
      throw error;
    }
  }

  /**
   * Reads a picture, line by line as they come; `times` grows meanwhile.
   * Errors: those of `GraphModel.run`; `aborted`.
   */
  async *read(picture: Picture, { times, onFound, ...options }: ReadOptions): AsyncGenerator<Line> {
    const clock = stopwatch(times);
    const found = await clock('detect', () => this.#detect(picture, options));
    onFound?.(found);
    const upright: Quad[] = [];
    for (const quad of found) upright.push(await clock('turn', () => this.#upright(picture, quad, options)));
    for (const quad of inReadingOrder(upright)) {
      const { text, score } = await clock('read', () => this.#recognise(picture, quad, options));
      if (text.trim() && score >= LEAST_SCORE) yield { quad, text: text.trim(), score };
    }
  }

  async #detect(picture: Picture, options: Running): Promise<Quad[]> {
    const shrink = Math.min(1, DETECT.most / Math.max(picture.width, picture.height));
    const side = (length: number): number => Math.max(1, Math.round((length * shrink) / DETECT.step)) * DETECT.step;
    const [height, width] = [side(picture.height), side(picture.width)];
    const data = await runOn(this.detector, tensorOf(picture, [height, width], DETECTOR), options);
    const regions = findRegions({ width, height, data });
    return regions.map(({ quad }) => scaled(quad, picture.width / width, picture.height / height));
  }

  /** The corners in the order of reading: a line that is upside down begins at the opposite one. */
  async #upright(picture: Picture, quad: Quad, options: Running): Promise<Quad> {
    const [height, most] = TURN;
    const width = Math.min(most, widthAt(height, quad));
    const input = tensorOf(crop(picture, quad), [height, width], LINE, most);
    const [, turn] = await runOn(this.classifier, input, options);
    return turn! > SURE ? turned(quad, 2) : quad;
  }

  async #recognise(picture: Picture, quad: Quad, options: Running): Promise<{ text: string; score: number }> {
    const { height, step } = READ;
    const width = widthAt(height, quad);
    const room = Math.ceil(width / step) * step;
    const input = tensorOf(crop(picture, quad), [height, width], LINE, room);
    return decode(await runOn(this.recogniser, input, options), this.characters);
  }

  get models(): readonly GraphModel[] {
    return [this.detector, this.classifier, this.recogniser];
  }

  dispose(): void {
    for (const model of this.models) model.dispose();
  }
}

/** The width of what stands in a quadrilateral, where it is this high. */
function widthAt(height: number, quad: Quad): number {
  const [wide, tall] = sizeOf(quad);
  return Math.max(1, Math.ceil((height * wide) / tall));
}

/** The one output for the one input of a model. */
async function runOn(
  model: GraphModel,
  input: { dims: readonly number[]; data: Float32Array },
  options: Running,
): Promise<Float32Array> {
  const outputs = await model.run({ [model.inputs[0]!.name]: input }, options);
  return (outputs[model.outputs[0]!.name] as GraphTensor).data as Float32Array;
}

/** Adds what work takes to the times. */
const stopwatch =
  (times: Times) =>
  async <T>(what: keyof Times, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      times[what] += performance.now() - start;
    }
  };
