import { TilewrightError } from '../errors.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { layoutSafetensors, type TensorHeader } from '../formats/safetensors-write.ts';
import type { ByteSource } from '../hub/source.ts';
import { gathered } from '../tensor/convert.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { groupOf, type IndexFacts, type Metric, type VectorDataType, VectorTable } from './table.ts';

/** What the metadata of an index say that it is. */
const FORMAT = 'tilewright.index';

const STORED = { float32: 'F32', float16: 'F16', int8: 'I8' } as const;

/** An index as a safetensors file: `vectors` [count, dimension], of int8 with `scales` [count, groups]. */
export function encodeIndex(table: VectorTable, { metric, model }: IndexFacts): Blob {
  const { dataType, dimension, count, groups } = table;
  const tensors: TensorHeader[] = [
    { name: 'vectors', storedType: STORED[dataType], shape: [count, dimension] },
    ...(groups ? [{ name: 'scales', storedType: 'F32', shape: [count, groups] } as const] : []),
  ];
  const { head, tensors: places } = layoutSafetensors(tensors, {
    format: FORMAT,
    metric,
    ...(model !== undefined && { model }),
  });
  const parts = { vectors: table.values, scales: table.scales } as Record<string, Float32Array<ArrayBuffer>>;
  return new Blob([head, ...[...places.keys()].map((name) => parts[name]!)]);
}

/** Reads an index. Errors: `invalid-file`, `missing-tensor`, `unused-tensor`, `wrong-type`, `wrong-shape`. */
export async function readIndex(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ table: VectorTable; facts: IndexFacts }> {
  const { tensors, metadata } = await openSafetensors(source, signal);
  const { name } = source;
  const metric = metadata.get('metric');
  if (metadata.get('format') !== FORMAT || (metric !== 'cosine' && metric !== 'dot'))
    throw new TilewrightError(
      'invalid-file',
      `${name}: is no index: its metadata are ${JSON.stringify([...metadata])}`,
      {
        hint: 'Files of indexes are written by index.blob() and index.save(name).',
      },
    );
  const vectors = tensors.get('vectors');
  const dataType = Object.entries(STORED).find(([, stored]) => stored === vectors?.typeName)?.[0] as
    | VectorDataType
    | undefined;
  if (!vectors || !dataType) throw wrong(name, 'vectors', 'F32, F16 or I8 [count, dimension]', vectors);
  const [count, dimension] = vectors.shape;
  if (vectors.shape.length !== 2 || !count || !dimension)
    throw wrong(name, 'vectors', `${vectors.typeName} [count, dimension]`, vectors);
  const scales = tensors.get('scales');
  const shape = [count, dimension / groupOf(dimension)];
  if (dataType === 'int8' && (scales?.typeName !== 'F32' || `${scales.shape}` !== `${shape}`))
    throw wrong(name, 'scales', `F32 ${formatShape(shape)}`, scales);
  const other = [...tensors.keys()].find((key) => key !== 'vectors' && !(key === 'scales' && dataType === 'int8'));
  if (other !== undefined)
    throw new TilewrightError('unused-tensor', `${name}: an index has no tensor ${JSON.stringify(other)}`);
  const read = async (tensor: typeof vectors): Promise<ArrayBuffer> =>
    (await gathered(tensor.chunks(signal), tensor.byteLength)).buffer;
  const bytes = await read(vectors);
  const values =
    dataType === 'float32'
      ? new Float32Array(bytes)
      : dataType === 'float16'
        ? new Uint16Array(bytes)
        : new Int8Array(bytes);
  const table = VectorTable.of(
    dataType,
    dimension,
    values,
    new Float32Array(dataType === 'int8' ? await read(scales!) : new ArrayBuffer(0)),
  );
  checkNumbers(name, table);
  return { table, facts: { metric: metric as Metric, model: metadata.get('model') } };
}

function checkNumbers(name: string, { dataType, dimension, groups, values, scales }: VectorTable): void {
  const fail = (i: number, width: number): never => {
    throw new TilewrightError(
      'invalid-file',
      `${name}: vector ${Math.floor(i / width)} has a number that is not finite`,
    );
  };
  if (dataType === 'float16') {
    const at = (values as Uint16Array).findIndex((bits) => (bits & 0x7c00) === 0x7c00);
    if (at >= 0) fail(at, dimension);
    return;
  }
  const at = (dataType === 'float32' ? (values as Float32Array) : scales).findIndex((x) => !Number.isFinite(x));
  if (at >= 0) fail(at, groups || dimension);
}

function wrong(
  file: string,
  tensor: string,
  expected: string,
  got: { readonly typeName: string; readonly shape: readonly number[] } | undefined,
): TilewrightError {
  if (!got)
    return new TilewrightError('missing-tensor', `${file}: the index has no tensor ${tensor}: expected ${expected}`);
  return new TilewrightError(
    'wrong-shape',
    `${file}: ${tensor}: expected ${expected}, got ${got.typeName} ${formatShape(got.shape)} of ${elementCount(got.shape)} numbers`,
  );
}
