import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TilewrightError, throwIfAborted } from '../../errors.ts';
import { openOnnx } from '../../formats/onnx.ts';
import { ONNX_TYPES } from '../../formats/onnx-model.ts';
import { layoutOnnx, type NewTensor, type OnnxChanges } from '../../formats/onnx-rewrite.ts';
import type { WrittenAttribute, WrittenNode } from '../../formats/onnx-write.ts';
import type { TensorHeader } from '../../formats/safetensors-write.ts';
import type { Folder } from '../../hub/folder.ts';
import { elementCount } from '../../tensor/types.ts';
import { inDraft, inOrder, type Making, writeAll } from '../drafts.ts';

/** Versions of ONNX's operator set from which on `DequantizeLinear` has scales of an axis, and of blocks. */
const OF_AXIS = 13;
const OF_BLOCKS = 21;

/**
 * The folder of an ONNX model with small weights: `DequantizeLinear` of int8 weights, or `Cast` of float16 ones, stands
 * for the weights that were there, under their names. All else is as the file has it; what lay beside it is in it.
 */
export async function writeOnnx(
  folder: Folder,
  path: string,
  target: string,
  headers: readonly TensorHeader[],
  metadata: Readonly<Record<string, string>>,
  { runtime, give, signal, scales = [] }: Making,
): Promise<{ bytes: number; before: number }> {
  const model = await openOnnx(folder, path, signal);
  const source = await folder.open(path);
  const changes = changesOf(headers, new Set(namesIn(model.graph)), model.opsets.get('') ?? 1);
  const kept = model.graph.initializers.filter(({ name }) => !changes.removed.has(name));
  const added = scales.map(({ name, shape, bytes }) => tensorOf(name, 'float', shape, bytes.byteLength));
  const layout = await layoutOnnx(
    source,
    {
      ...changes,
      tensors: [...changes.tensors, ...added],
      metadata,
      opsets: new Map([...changes.opsets].filter(([domain]) => !model.opsets.has(domain))),
    },
    new Map(kept.map(({ name, byteLength }) => [name, byteLength])),
    signal,
  );
  await inDraft(folder, target, signal, async (draft) => {
    const file = await open(join(draft, basename(path)), 'wx');
    const copy = async (chunks: AsyncIterable<Uint8Array>, offset: number): Promise<void> => {
      let at = offset;
      for await (const chunk of chunks) {
        throwIfAborted(signal, 'writing');
        await writeAll(file, chunk, at);
        at += chunk.byteLength;
      }
    };
    try {
      for (const { offset, bytes } of layout.parts)
        if (bytes instanceof Uint8Array) await writeAll(file, bytes, offset);
        else await copy(source.stream(bytes.start, bytes.end, signal), offset);
      for (const { name, source: stored } of kept) {
        const place = layout.tensors.get(name);
        if (place && stored) await copy(stored.chunks(signal), place.offset);
      }
      for (const { name, bytes } of scales) await writeAll(file, bytes, layout.tensors.get(name)!.offset);
      await give(runtime.take(inOrder(changes.tensors, layout.tensors, file)));
      await file.sync();
    } finally {
      await file.close();
    }
  });
  return {
    bytes: layout.byteLength,
    before: model.graph.initializers.reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

const namesIn = ({ nodes, initializers, inputs }: Awaited<ReturnType<typeof openOnnx>>['graph']): string[] => [
  ...nodes.flatMap((node) => [...node.inputs, ...node.outputs]),
  ...[...initializers, ...inputs].map(({ name }) => name),
];

const tensorOf = (name: string, type: NewTensor['type'], dims: readonly number[], byteLength: number): NewTensor => ({
  name,
  type,
  dims,
  byteLength,
});

/**
 * What stands for the tensors that become small. `headers`: values, then scales where there are some. Below set 13
 * onnxruntime's own `DequantizeLinear` has the axis.
 */
function changesOf(
  headers: readonly TensorHeader[],
  taken: ReadonlySet<string>,
  opset: number,
): Omit<OnnxChanges, 'metadata'> {
  const removed = new Set<string>();
  const nodes: WrittenNode[] = [];
  const tensors: NewTensor[] = [];
  const opsets = new Map<string, number>();
  const fresh = (name: string): string => (taken.has(name) ? fresh(`${name}_`) : name);
  for (let i = 0; i < headers.length; ) {
    const { name, storedType, shape } = headers[i++]!;
    removed.add(name);
    const count = elementCount(shape);
    if (storedType === 'F16') {
      const half = tensorOf(fresh(`${name}_half`), 'float16', shape, 2 * count);
      tensors.push(half);
      const to = BigInt(ONNX_TYPES.indexOf('float'));
      nodes.push({ op: 'Cast', inputs: [half.name], outputs: [name], attributes: [['to', to]] });
      continue;
    }
    const { dims, attributes, since } = scalesOf(shape, headers[i++]!.shape, opset);
    const domain = opset >= since ? '' : 'com.microsoft';
    if (domain) opsets.set(domain, 1);
    const values = tensorOf(fresh(`${name}_int8`), 'int8', shape, count);
    const scale = tensorOf(fresh(`${name}_scale`), 'float', dims, 4 * elementCount(dims));
    tensors.push(values, scale);
    nodes.push({
      op: 'DequantizeLinear',
      domain,
      name: `${name}_dequantized`,
      inputs: [values.name, scale.name],
      outputs: [name],
      attributes,
    });
  }
  return { removed, nodes, tensors, opsets };
}

/** Scales as `DequantizeLinear` takes them: of the rank of the weights for blocks, else a list along their axis. */
function scalesOf(
  shape: readonly number[],
  scales: readonly number[],
  opset: number,
): { dims: readonly number[]; attributes: [string, WrittenAttribute][]; since: number } {
  const blocked = scales.findIndex((size, d) => size !== 1 && size !== shape[d]);
  if (blocked >= 0) {
    if (opset < OF_BLOCKS)
      throw new TilewrightError(
        'unsupported-option',
        `--group-size: expected a file of ONNX's operator set ${OF_BLOCKS} or above, got ${opset}`,
        { hint: 'Leave it out: a scale an output channel is stored of any operator set.' },
      );
    const block = shape[blocked]! / scales[blocked]!;
    const attributes: [string, bigint][] = [
      ['axis', BigInt(blocked)],
      ['block_size', BigInt(block)],
    ];
    return { dims: scales, attributes, since: OF_BLOCKS };
  }
  const axis = Math.max(
    0,
    scales.findIndex((size) => size !== 1),
  ); // of one scale: any axis, of one element
  return shape[axis] === scales[axis]
    ? { dims: [scales[axis]!], attributes: [['axis', BigInt(axis)]], since: OF_AXIS }
    : { dims: [], attributes: [], since: 10 };
}
