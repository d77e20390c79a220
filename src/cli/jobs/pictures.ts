import { TilewrightError } from '../../errors.ts';
import { readJson } from '../../hub/folder.ts';
import type { ImageClassifier } from '../../models/resnet.ts';
import type { GraphModel } from '../../onnx/graph-model.ts';
import { type PictureInput, PREPROCESSING, pictureInput, pictureTensor } from '../../onnx/pictures.ts';
import type { GraphInputs, GraphTensor } from '../../onnx/run-tensors.ts';
import { fromHalf } from '../../tensor/half.ts';
import { preprocessingFrom } from '../../vision/config.ts';
import { type Picture, type Preprocessing, preprocess } from '../../vision/preprocess.ts';
import type { JobContext } from './job.ts';
import { loadModel, type ModelArgs, mismatch } from './load.ts';

/** How pictures become numbers; the size is that of the model's input where it is absent. */
export type AskedPreprocessing = Omit<Preprocessing, 'size'> & Partial<Pick<Preprocessing, 'size'>>;

export interface PictureArgs extends ModelArgs {
  /** Of an ONNX model: other models say it themselves. */
  readonly preprocess?: AskedPreprocessing;
}

/** Anything that gives a score for each class of a picture. */
export interface Scorer {
  /** [picture, class] */
  scores(pictures: readonly Picture[], signal: AbortSignal): Promise<Float32Array>;
  /** As for `calibrate` of a classifier. */
  calibrate: ImageClassifier['calibrate'];
}

/** Loads what classifies pictures. Error: `invalid-argument` where the model is for another task, or takes no pictures. */
export async function loadScorer({ preprocess: asked, ...args }: PictureArgs, context: JobContext): Promise<Scorer> {
  const model = await loadModel(args, context);
  if (model.task === 'graph') return graphScorer(model, asked, args.load?.dims);
  if (model.task !== 'image-classification') throw mismatch(model);
  if (asked) throw new TilewrightError('invalid-argument', '--preprocess: this model says it itself');
  return {
    scores: (pictures, signal) => model.logits(preprocess(pictures, model.preprocessing), pictures.length, { signal }),
    calibrate: (pictures, options) => model.calibrate(pictures, options),
  };
}

async function graphScorer(
  model: GraphModel,
  asked: AskedPreprocessing | undefined,
  dims: Readonly<Record<string, number>> | undefined,
): Promise<Scorer> {
  const input = pictureInputOf(model, dims);
  const preprocessing = sized(await preprocessingOf(model, asked), input);
  const inputsOf = (pictures: readonly Picture[]): GraphInputs => ({
    [input.name]: pictureTensor(input, pictures, preprocessing),
  });
  const { batch } = input;
  return {
    async scores(pictures, signal) {
      const each = batch ?? pictures.length;
      const rows: Float32Array[] = [];
      for (let at = 0; at < pictures.length; at += each) {
        const group = pictures.slice(at, at + each);
        const full = Array.from({ length: each }, (_, i) => group[i] ?? group[0]!); // a fixed batch takes no fewer
        const outputs = await model.run(inputsOf(full), { signal });
        const scores = scoresOf(model, Object.values(outputs), each);
        rows.push(scores.subarray(0, (scores.length / each) * group.length));
      }
      return new Float32Array(await new Blob(rows as Float32Array<ArrayBuffer>[]).arrayBuffer());
    },
    calibrate(pictures, options) {
      const each = batch ?? 1;
      const list = [...pictures] as Picture[];
      const groups = Array.from({ length: Math.ceil(list.length / each) }, (_, g) =>
        Array.from({ length: each }, (_, i) => list[(g * each + i) % list.length]!),
      );
      return model.calibrate(groups.map(inputsOf), options);
    },
  };
}

/** The one input of a graph that takes pictures. */
function pictureInputOf(model: GraphModel, dims: Readonly<Record<string, number>> | undefined): PictureInput {
  const [first, ...others] = model.inputs;
  const input = first && pictureInput(first, dims);
  if (input && !others.length) return input;
  const inputs = model.inputs.map(({ name, type, dims }) => `${name}: ${type}[${dims ?? '?'}]`);
  throw new TilewrightError(
    'invalid-argument',
    `${model.info.name}: expected one input of pictures, [N,3,H,W] or [N,H,W,3], got ${inputs.join(', ') || 'none'}`,
  );
}

async function preprocessingOf(model: GraphModel, asked: AskedPreprocessing | undefined): Promise<AskedPreprocessing> {
  if (asked) return asked;
  const file = 'preprocessor_config.json';
  const config = await readJson(model.files.folder, file);
  if (config) return preprocessingFrom(config, file);
  throw new TilewrightError(
    'invalid-argument',
    `${model.info.name} does not say how pictures become numbers, and there is no ${file} beside it`,
    { hint: `Give --preprocess ${Object.keys(PREPROCESSING).join(', ')}, or a file like ${file}.` },
  );
}

function sized(asked: AskedPreprocessing, { height, width }: PictureInput): Preprocessing {
  const size = [height ?? asked.size?.[0], width ?? asked.size?.[1]];
  const [tall, wide] = size;
  if (tall !== undefined && wide !== undefined) return { ...asked, size: [tall, wide] };
  throw new TilewrightError('invalid-argument', 'the height and width of the pictures are not known', {
    hint: 'Give --dims, with numbers for them.',
  });
}

/** The first output that has a row of numbers for each picture. */
function scoresOf(model: GraphModel, outputs: readonly unknown[], pictures: number): Float32Array {
  const rows = outputs.find((output): output is GraphTensor => {
    const { type, dims } = (output ?? {}) as Partial<GraphTensor>;
    return (type === 'float' || type === 'float16' || type === 'double') && dims?.[0] === pictures && dims.length > 1;
  });
  if (!rows)
    throw new TilewrightError(
      'invalid-argument',
      `${model.info.name}: expected an output of scores, [${pictures},classes], got none`,
    );
  const { type, data } = rows;
  return type === 'float16'
    ? Float32Array.from(data as Uint16Array, fromHalf)
    : Float32Array.from(data as Float32Array);
}
