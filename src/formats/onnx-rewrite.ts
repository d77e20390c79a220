import { TilewrightError } from '../errors.ts';
import type { ByteSource } from '../hub/source.ts';
import type { OnnxType } from './onnx-model.ts';
import { nodeMessage, opsetMessage, tensorHead, type WrittenNode } from './onnx-write.ts';
import { ProtobufReader, type Range } from './protobuf.ts';
import { Message } from './protobuf-write.ts';

/** A tensor that a file gets, before its bytes are known. */
export interface NewTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly byteLength: number;
}

/** What changes in a file. All else stays as it is, fields that are not known here too. */
export interface OnnxChanges {
  /** Initialisers that go: `nodes` compute them. */
  readonly removed: ReadonlySet<string>;
  /** Nodes that come before all others. */
  readonly nodes: readonly WrittenNode[];
  readonly tensors: readonly NewTensor[];
  /** Operator sets that the nodes need besides those of the file. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Added to that of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file that is written piece by piece. */
export interface OnnxLayout {
  /** Bytes, and ranges of the file before; between them lie the numbers of tensors. */
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array | Range }[];
  /** Where the numbers of new tensors lie, and those of tensors that were outside of the file: in their order. */
  readonly tensors: ReadonlyMap<string, { readonly offset: number; readonly byteLength: number }>;
  readonly byteLength: number;
}

// Numbers of fields: onnx.proto of ONNX 1.19.
const [GRAPH, OPSET, METADATA] = [7, 8, 14];
const [INITIALIZER, INPUT] = [5, 11];
const [TENSOR_NAME, RAW, EXTERNAL, LOCATION] = [8, 9, 13, 14];

/** What protobuf's own readers take: a message has less than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;

type Part = Uint8Array | Range | { readonly tensor: string; readonly byteLength: number };

const sizeOf = (part: Part): number =>
  part instanceof Uint8Array ? part.byteLength : 'tensor' in part ? part.byteLength : part.end - part.start;
const total = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + sizeOf(part), 0);

/**
 * Lays out an ONNX file anew. Initialisers whose numbers lie beside the file come into it: `byteLengths` says how many
 * bytes each has. Errors: `invalid-file`; `unsupported-option` for a file of 2 GiB or more.
 */
export async function layoutOnnx(
  source: ByteSource,
  { removed, nodes, tensors, opsets, metadata }: OnnxChanges,
  byteLengths: ReadonlyMap<string, number>,
  signal?: AbortSignal,
): Promise<OnnxLayout> {
  const reader = new ProtobufReader(source, signal);
  const textOf = async ({ start, end }: Range): Promise<string> =>
    new TextDecoder().decode(await source.slice(start, end, signal));

  /** An initialiser as it stays; none where it goes. */
  const initializer = async (key: number, message: Range): Promise<Part[]> => {
    let name = '';
    let outside = false;
    const kept: Part[] = [];
    for await (const { number, start, value } of reader.fields(message)) {
      if (number === TENSOR_NAME) name = await textOf(value);
      if (number === EXTERNAL || number === LOCATION) outside ||= number === EXTERNAL;
      else kept.push({ start, end: value.end });
    }
    if (removed.has(name)) return [];
    if (!outside) return [{ start: key, end: message.end }];
    const byteLength = byteLengths.get(name) ?? 0;
    const own: Part[] = [...kept, new Message().announce(RAW, byteLength).encode(), { tensor: name, byteLength }];
    return [new Message().announce(INITIALIZER, total(own)).encode(), ...own];
  };

  /** Inputs may name initialisers, which are their defaults: one that goes is no input any more. */
  const isRemoved = async (message: Range): Promise<boolean> => {
    for await (const { number, value } of reader.fields(message))
      if (number === 1) return removed.has(await textOf(value));
    return false;
  };

  const graphOf = async (graph: Range): Promise<Part[]> => {
    const first = new Message();
    for (const node of nodes) first.message(1, nodeMessage(node));
    const parts: Part[] = [first.encode()];
    for await (const { number, start, value } of reader.fields(graph)) {
      if (number === INITIALIZER) parts.push(...(await initializer(start, value)));
      else if (number !== INPUT || !(await isRemoved(value))) parts.push({ start, end: value.end });
    }
    for (const { byteLength, ...head } of tensors) {
      const own = [tensorHead(head).encode(), new Message().announce(RAW, byteLength).encode()];
      const bytes = { tensor: head.name, byteLength };
      parts.push(new Message().announce(INITIALIZER, total([...own, bytes])).encode(), ...own, bytes);
    }
    return parts;
  };

  const parts: Part[] = [];
  for await (const { number, start, value } of reader.fields({ start: 0, end: source.size })) {
    if (number !== GRAPH) parts.push({ start, end: value.end });
    else {
      const graph = await graphOf(value);
      parts.push(new Message().announce(GRAPH, total(graph)).encode(), ...graph);
    }
  }
  for (const [domain, version] of opsets)
    parts.push(new Message().message(OPSET, opsetMessage(domain, version)).encode());
  for (const [key, value] of Object.entries(metadata))
    parts.push(new Message().message(METADATA, new Message().text(1, key).text(2, value)).encode());
  return placed(parts, source.name);
}

function placed(parts: readonly Part[], name: string): OnnxLayout {
  const tensors = new Map<string, { offset: number; byteLength: number }>();
  const fixed: { offset: number; bytes: Uint8Array | Range }[] = [];
  let offset = 0;
  for (const part of parts) {
    const last = fixed.at(-1);
    if ('tensor' in part) tensors.set(part.tensor, { offset, byteLength: part.byteLength });
    else if (last && 'end' in part && 'end' in last.bytes && last.bytes.end === part.start)
      last.bytes = { ...last.bytes, end: part.end };
    else fixed.push({ offset, bytes: part });
    offset += sizeOf(part);
  }
  if (offset > MOST_BYTES)
    throw new TilewrightError(
      'unsupported-option',
      `${name}: expected a file of less than 2 GiB, which is what ONNX can be, it would have ${offset} bytes`,
    );
  return { parts: fixed, tensors, byteLength: offset };
}
