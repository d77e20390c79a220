import type { Model } from '../../engine.ts';
import type { ModelInfo } from '../../models/model.ts';
import type { Prediction } from '../../models/resnet.ts';
import type { Progress } from '../../tensor/progress.ts';

/** What a job tells while it works. */
export type JobEvent =
  | { readonly type: 'adapter'; readonly name: string; readonly software: boolean }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'loaded'; readonly model: ModelCard }
  | {
      readonly type: 'classified';
      readonly index: number;
      readonly predictions: readonly Prediction[];
      readonly ms: number;
    }
  | { readonly type: 'token'; readonly text: string }
  | { readonly type: 'part'; readonly part: object }
  | { readonly type: 'done'; readonly done: number; readonly total?: number; readonly label?: string };

/** What a command needs to know of a model that was loaded elsewhere. */
export interface ModelCard extends ModelInfo {
  readonly task: Model['task'];
  /** Undefined for a text generator, and where the checkpoint names no classes. */
  readonly labels: readonly string[] | undefined;
  readonly classes: number | undefined;
  /** Height and width of the pictures a classifier takes. */
  readonly size: readonly [number, number] | undefined;
  /** Tokens that fit. */
  readonly context: number | undefined;
}

/** The world of a job: a page of headless Chrome, or Node with Dawn. */
export interface JobContext {
  emit(event: JobEvent): void;
  readonly signal: AbortSignal;
  /** The next chunk of what the command lends under this name; undefined at its end. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Gives the command bytes, under the name by which it takes them; resolves when they are taken. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** Work for the GPU, wherever that is: arguments and result are plain JSON, so both cross to a page. */
export type Job<Args, Result> = (args: Args, context: JobContext) => Promise<Result>;

/** All chunks of what is lent, in one piece that need not lie in memory. */
export async function blobOf({ read }: JobContext, name: string): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let chunk = await read(name); chunk; chunk = await read(name)) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  return new Blob(chunks);
}

/** The same in memory. */
export const readAll = async (context: JobContext, name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await blobOf(context, name)).arrayBuffer());
