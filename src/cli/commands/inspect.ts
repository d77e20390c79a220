import { openCheckpoint } from '../../formats/checkpoint.ts';
import { openOnnx } from '../../formats/onnx.ts';
import type { Checkpoint, CheckpointTensor } from '../../formats/safetensors.ts';
import { onnxOf, openFolder } from '../../hub/folder.ts';
import { elementCount, formatShape } from '../../tensor/types.ts';
import { resolveModel } from '../files.ts';
import { bytes, count } from '../format.ts';
import { hubOptions } from '../hub.ts';
import { table } from '../table.ts';
import type { CommandContext } from './context.ts';

/** What lies in a checkpoint or an ONNX file: no weights are read. Errors: `not-found`, `invalid-file`, `network`. */
export async function inspect(source: string, { terminal, signal }: CommandContext): Promise<void> {
  const model = await resolveModel(source);
  const folder = await openFolder(model, { signal, ...hubOptions(model) });
  const bold = (text: string): string => terminal.paint('bold', text);
  const onnx = await onnxOf(folder);
  if (onnx !== undefined) {
    const [{ inspectOnnx }, { onnxLines }] = await Promise.all([
      import('../../onnx/contents.ts'),
      import('./inspect-onnx.ts'),
    ]);
    const report = inspectOnnx(await openOnnx(folder, onnx, signal));
    for (const line of onnxLines(report, bold)) terminal.print(line);
    terminal.result(report);
    return;
  }
  const checkpoint = await openCheckpoint(folder, signal);
  for (const line of inspectLines(checkpoint, bold)) terminal.print(line);
  terminal.result(inspectJson(checkpoint));
}

export function inspectLines(checkpoint: Checkpoint, heading: (text: string) => string = (text) => text): string[] {
  const tensors = [...checkpoint.tensors.values()];
  const files = new Set(tensors.map(({ file }) => file));
  const several = files.size > 1;
  const body = table(
    [
      { title: 'tensor', elastic: true },
      { title: 'type' },
      { title: 'shape' },
      { title: 'bytes', right: true },
      ...(several ? [{ title: 'file', elastic: true }] : []),
    ],
    tensors.map((tensor) => [
      tensor.name,
      tensor.typeName,
      formatShape(tensor.shape),
      tensor.byteLength.toLocaleString('en'),
      tensor.file,
    ]),
    { heading },
  );
  const types = [...typesOf(tensors)].map(([type, n]) => `${n.toLocaleString('en')} ${type}`).join(', ');
  const total = [
    count(tensors.length, 'tensor'),
    `${types} elements`,
    `${bytes(checkpoint.byteLength)}${several ? ` in ${files.size} files` : ''}`,
  ];
  return [...[...checkpoint.metadata].map(([key, value]) => `${key}: ${value}`), ...body, total.join('; ')];
}

export function inspectJson({ tensors, metadata, byteLength }: Checkpoint): object {
  return {
    byteLength,
    metadata: Object.fromEntries(metadata),
    elements: Object.fromEntries(typesOf([...tensors.values()])),
    tensors: [...tensors.values()].map((tensor) => ({
      name: tensor.name,
      type: tensor.typeName,
      shape: tensor.shape,
      bytes: tensor.byteLength,
      file: tensor.file,
    })),
  };
}

/** Elements by type. */
function typesOf(tensors: readonly CheckpointTensor[]): Map<string, number> {
  const types = new Map<string, number>();
  for (const { typeName, shape } of tensors) types.set(typeName, (types.get(typeName) ?? 0) + elementCount(shape));
  return types;
}
