import { constants } from 'node:fs';
import { access, type FileHandle, open, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { version } from '../../../package.json';
import { TilewrightError, throwIfAborted } from '../../errors.ts';
import { openCheckpoint } from '../../formats/checkpoint.ts';
import type { Checkpoint } from '../../formats/safetensors.ts';
import { layoutSafetensors, type SafetensorsLayout, type TensorHeader } from '../../formats/safetensors-write.ts';
import { type Folder, onnxOf, openFolder, SINGLE_FILE } from '../../hub/folder.ts';
import { calibrationTensors } from '../../models/calibration.ts';
import { calibrationOver } from '../calibrate.ts';
import { inDraft, inOrder, type Making, writeAll } from '../drafts.ts';
import { mustExist, resolveModel } from '../files.ts';
import { bytes } from '../format.ts';
import { hubOptions } from '../hub.ts';
import { preprocessArgs } from '../preprocessing.ts';
import { reportLines } from '../report-table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, showProgress, withRuntime } from './context.ts';
import { pictures } from './run.ts';

export interface QuantizeOptions extends ModelOptions {
  readonly report?: boolean;
  /** What outputs are measured on. */
  readonly image?: readonly string[];
  readonly prompt?: readonly string[];
  /** Pictures or a text to take the scales of static activations from: they are stored with the weights. */
  readonly calibrate?: string;
  readonly percentile?: number;
  /** Of an ONNX model: how the pictures of `calibrate` become numbers. */
  readonly preprocess?: string;
}

/** Writes a model with small weights as a folder of its own, or reports what they save and cost, or both. */
export async function quantize(
  model: string,
  out: string | undefined,
  { report = false, image, prompt, calibrate, percentile, preprocess, ...options }: QuantizeOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await Promise.all((image ?? []).map(mustExist));
  const load = { ...loadArgs(options), dtype: options.dtype ?? ('int8' as const) };
  const target = out === undefined ? undefined : resolve(out);
  if (target !== undefined) {
    if (Object.values(typeof load.dtype === 'string' ? [load.dtype] : load.dtype).includes('int4'))
      throw new TilewrightError('invalid-argument', 'int4 weights are not stored', {
        hint: 'They are made at load: store int8, or load the float model with --dtype int4.',
      });
    await mustBeFree(target);
  }
  const onnx = await onnxOf(await openFolder(source, { signal, ...hubOptions(source) }));
  if (onnx !== undefined && report)
    throw new TilewrightError('invalid-argument', `${model} is an ONNX model: it has no report`, {
      hint: 'Classifiers and text generators have: outputs of a graph have no common measure. eval --images has one.',
    });
  await withRuntime(context, async (runtime) => {
    const args = { model: await runtime.model(source), load };
    let onEvent = follow(context, runtime);
    const result: { out?: string; bytes?: number; report?: object } = {};
    if (target !== undefined) {
      const { headers, left } = await runtime.run('storedTensors', args, { signal, onEvent });
      if (!headers.length)
        throw new TilewrightError(
          'invalid-argument',
          `${model} has no weights to store: they are of these types already`,
        );
      onEvent = (event) => showProgress(terminal, event); // which adapter and which model was said
      const give = (sink: string): Promise<unknown> => runtime.run('quantize', { ...args, sink }, { signal, onEvent });
      const metadata = {
        quantized_by: `tilewright ${version}`,
        dtype: typeof load.dtype === 'string' ? load.dtype : JSON.stringify(load.dtype),
        group_size: load.groupSize ? String(load.groupSize) : 'channel',
      };
      const samples = calibrate && { path: calibrate, text: /\.txt$/i.test(calibrate), percentile };
      const scales = samples
        ? calibrationTensors(
            await calibrationOver(samples, { ...args, ...(await preprocessArgs(preprocess)) }, runtime, context),
          )
        : [];
      const folder = await openFolder(source, { signal, ...hubOptions(source) });
      const making = { runtime, give, signal, scales };
      const written =
        onnx === undefined
          ? await writeFolder(folder, target, headers, metadata, making)
          : await (await import('./quantize-onnx.ts')).writeOnnx(folder, onnx, target, headers, metadata, making);
      terminal.print(`${out}: ${bytes(written.bytes)}, before ${bytes(written.before)}`);
      if (left.length) terminal.print(`left as they are: ${left.join(', ')}`);
      Object.assign(result, { out: target, ...written, ...(left.length && { left }) });
    }
    if (report) {
      const samples = {
        ...(image && { pictures: runtime.lend(pictures(image)) }),
        ...(prompt && { prompts: prompt }),
      };
      const measured = { ...(await runtime.run('report', { ...args, ...samples }, { signal, onEvent })), model };
      for (const line of reportLines(measured, (text) => terminal.paint('bold', text))) terminal.print(line);
      Object.assign(result, { report: measured });
    }
    terminal.result(result);
  });
}

/** Errors: `invalid-argument` where there is something already, or nothing can be made. */
async function mustBeFree(target: string): Promise<void> {
  const there = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new TilewrightError('invalid-argument', `${target} is no folder to write: ${cause.message}`, { cause });
  });
  if (there?.length)
    throw new TilewrightError('invalid-argument', `${target} is not empty: it has ${there[0]}`, {
      hint: 'Give a folder that is not there yet.',
    });
  await access(dirname(target), constants.W_OK).catch((cause: Error) => {
    throw new TilewrightError('invalid-argument', `${target} cannot be written: ${cause.message}`, { cause });
  });
}

/**
 * The folder of a model with some tensors changed: what comes of `give` instead of the tensors of those names, all else
 * as the source has it. It gets its name when all of it is written. Gives the bytes of the file, and of all tensors
 * before.
 */
export async function writeFolder(
  folder: Folder,
  target: string,
  headers: readonly TensorHeader[],
  metadata: Readonly<Record<string, string>>,
  { runtime, give, signal, scales = [] }: Making,
): Promise<{ bytes: number; before: number }> {
  const checkpoint = await openCheckpoint(folder, signal);
  if ('fields' in checkpoint)
    throw new TilewrightError(
      'invalid-argument',
      `${folder.name}: is a GGUF file: only safetensors and ONNX are quantised`,
      {
        hint: 'Quantise the folder that it was made from; a GGUF file can be loaded with a dtype.',
      },
    );
  const changed = new Map(headers.map((header) => [header.name, header]));
  const tensors = [...checkpoint.tensors.values()].map((tensor): TensorHeader => changed.get(tensor.name) ?? tensor);
  const added = headers.filter(({ name }) => !checkpoint.tensors.has(name));
  const layout = layoutSafetensors([...tensors, ...added, ...scales], {
    ...Object.fromEntries(checkpoint.metadata),
    ...metadata,
  });
  await inDraft(folder, target, signal, async (draft) => {
    const file = await open(join(draft, SINGLE_FILE), 'wx');
    try {
      await writeAll(file, layout.head, 0);
      await copyTensors(checkpoint, changed, layout, file, signal);
      for (const { name, bytes: own } of scales) await writeAll(file, own, layout.tensors.get(name)!.offset);
      await give(runtime.take(inOrder(headers, layout.tensors, file)));
      await file.sync();
    } finally {
      await file.close();
    }
  });
  return { bytes: layout.byteLength, before: checkpoint.byteLength };
}

/** Bytes of all tensors that stay as they are, unread. */
async function copyTensors(
  { tensors }: Checkpoint,
  changed: ReadonlyMap<string, TensorHeader>,
  layout: SafetensorsLayout,
  file: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  for (const tensor of tensors.values()) {
    if (changed.has(tensor.name)) continue;
    let { offset } = layout.tensors.get(tensor.name)!;
    for await (const chunk of tensor.chunks(signal)) {
      throwIfAborted(signal, 'writing');
      await writeAll(file, chunk, offset);
      offset += chunk.byteLength;
    }
  }
}
