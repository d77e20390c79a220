import { TilewrightError } from '../../errors.ts';
import { type Checkpoint, type CheckpointTensor, openSafetensors } from '../../formats/safetensors.ts';
import { type Folder, readJson } from '../../hub/folder.ts';
import { checkFields, flag, oneOf, refuse } from '../../options.ts';
import { converted, inMultiples } from '../../tensor/convert.ts';
import { fromHalf } from '../../tensor/half.ts';
import { formatShape } from '../../tensor/types.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { type VectorDataType, VectorTable } from '../table.ts';
import type { WordsRead } from './word-vectors.ts';

/** Fields of config.json that change the vectors. */
const CONFIG_RULES = { model_type: oneOf('model2vec'), normalize: flag };

/**
 * Reads a folder of model2vec: `embeddings` [tokens, dimension] and, where they are there, `weights` [tokens], a factor of each row.
 * Errors: `not-found`, `invalid-file`, `missing-tensor`, `unused-tensor`, `wrong-shape`, `wrong-type`, `unsupported-option`.
 */
export async function readModel2Vec(
  folder: Folder,
  dataType: VectorDataType,
  signal: AbortSignal | undefined,
): Promise<WordsRead> {
  const { name } = folder;
  const config = (await readJson(folder, 'config.json', signal)) ?? missing(name, 'config.json');
  if (config['model_type'] === undefined)
    refuse('unsupported-option', `${name}: config.json`, 'model_type', '"model2vec"', undefined);
  checkFields(`${name}: config.json`, config, CONFIG_RULES);
  const json = (await readJson(folder, 'tokenizer.json', signal)) ?? missing(name, 'tokenizer.json');
  const checkpoint = await openSafetensors(await folder.open('model.safetensors'), signal);
  const { embeddings, weights } = tensorsOf(name, checkpoint);
  const [rows, dimension] = embeddings.shape as [number, number];
  const tokenizer = await loadTokenizer(json, {}, { vocabulary: rows, context: Number.POSITIVE_INFINITY });
  const file = json as unknown as TokenizerFile;
  const ids = idsOf(file);
  if (ids.size !== rows)
    throw new TilewrightError('wrong-shape', `${name}: embeddings has ${rows} rows, tokenizer.json ${ids.size} tokens`);
  const table = new VectorTable(dataType, dimension, rows);
  const factors: number[] = [];
  if (weights) for await (const [factor] of rowsOf(weights, 1, signal)) factors.push(factor!);
  for await (const vector of rowsOf(embeddings, dimension, signal)) {
    const factor = factors[table.count] ?? 1;
    for (let i = 0; i < dimension; i++) vector[i]! *= factor;
    table.append(vector);
  }
  const { unk_token: unknown } = file.model;
  const without = typeof unknown === 'string' ? ids.get(unknown) : undefined;
  return { ids, table, texts: { tokenizer, without, normalize: config['normalize'] === true } };
}

/** What is read here of a tokenizer.json that a tokenizer was made of. */
interface TokenizerFile {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly unk_token?: unknown;
  };
  readonly added_tokens: readonly { readonly content: string; readonly id: number }[];
}

function idsOf({ model: { vocab }, added_tokens }: TokenizerFile): Map<string, number> {
  const ids = Array.isArray(vocab)
    ? new Map((vocab as readonly (readonly [string, number])[]).map(([token], id) => [token, id]))
    : new Map(Object.entries(vocab as Readonly<Record<string, number>>));
  for (const { content, id } of added_tokens) if (!ids.has(content)) ids.set(content, id);
  return ids;
}

/** The rows of a tensor of floats, each good until the next is asked for. Error: `invalid-file` for what is not finite. */
async function* rowsOf(
  tensor: CheckpointTensor,
  width: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array> {
  const bytes = tensor.typeName === 'F16' ? 2 : 4;
  const row = new Float32Array(width);
  let count = 0;
  for await (const chunk of inMultiples(converted(tensor, signal), bytes * width)) {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < chunk.length; at += bytes * width, count++) {
      for (let i = 0; i < width; i++) {
        const place = at + i * bytes;
        row[i] = bytes === 2 ? fromHalf(view.getUint16(place, true)) : view.getFloat32(place, true);
        if (!Number.isFinite(row[i]))
          throw new TilewrightError(
            'invalid-file',
            `${tensor.file}: ${tensor.name}: number ${i} of row ${count} is ${row[i]}`,
          );
      }
      yield row;
    }
  }
}

function missing(folder: string, file: string): never {
  throw new TilewrightError('not-found', `${folder}: has no ${file}`, {
    hint: 'A folder of model2vec has config.json, tokenizer.json and model.safetensors; a file of words is loaded by its own address.',
  });
}

/** The tensors, checked. */
function tensorsOf(
  name: string,
  { tensors }: Checkpoint,
): { embeddings: CheckpointTensor; weights: CheckpointTensor | undefined } {
  const [embeddings, weights] = [tensors.get('embeddings'), tensors.get('weights')];
  if (!embeddings)
    throw new TilewrightError('missing-tensor', `${name}: has no tensor embeddings: ${[...tensors.keys()].join(', ')}`);
  const other = [...tensors.keys()].find((key) => key !== 'embeddings' && key !== 'weights');
  if (other !== undefined)
    throw new TilewrightError('unused-tensor', `${name}: ${other}: expected embeddings and weights alone`, {
      hint:
        other === 'mapping' ? 'A model2vec with a quantised vocabulary: save it without.' : 'This may be no model2vec.',
    });
  const [rows, dimension] = embeddings.shape;
  if (embeddings.shape.length !== 2 || !rows || !dimension)
    throw new TilewrightError(
      'wrong-shape',
      `${name}: embeddings: expected [tokens, dimension], got ${formatShape(embeddings.shape)}`,
    );
  if (weights && `${weights.shape}` !== `${rows}`)
    throw new TilewrightError('wrong-shape', `${name}: weights: expected [${rows}], got ${formatShape(weights.shape)}`);
  for (const { typeName, name: tensor } of [embeddings, ...(weights ? [weights] : [])])
    if (!['F32', 'F16', 'F64'].includes(typeName))
      throw new TilewrightError('wrong-type', `${name}: ${tensor}: expected F32, F16 or F64, got ${typeName}`);
  return { embeddings, weights };
}
