import type { ConvLayer } from '../cases.ts';
import type { ResNetSize, Tensors, TextSize } from '../models.ts';
import type { OnnxTask } from '../onnx-files.ts';
import type { EngineName, Work } from '../report.ts';
import type { OnnxModel } from './onnx.ts';
import type { OnnxDecoder } from './onnx-models.ts';

/** [m,k] times [k,n], which is constant. */
export interface MatmulTask {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly input: Float32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
}

export interface ConvTask {
  readonly layer: ConvLayer;
  /** [1,H,W,C] */
  readonly input: Float32Array<ArrayBuffer>;
  /** [H,W,I,O] */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** Heads lie side by side in the columns of [tokens, width]. */
export interface AttentionTask {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly width: number;
  readonly query: Float32Array<ArrayBuffer>;
  readonly key: Float32Array<ArrayBuffer>;
  readonly value: Float32Array<ArrayBuffer>;
}

/** The same weights as each engine takes them. */
export interface ResNetTask {
  readonly size: ResNetSize;
  readonly tensors: Tensors;
  readonly safetensors: Uint8Array<ArrayBuffer>;
  readonly onnx: OnnxModel;
  /** [1,3,H,W] */
  readonly pixels: Float32Array<ArrayBuffer>;
}

export interface TextTask {
  readonly size: TextSize;
  readonly folder: Readonly<Record<string, Blob>>;
  readonly onnx: OnnxDecoder;
  /** Tokens of a prompt. */
  readonly prompt: number;
}

/** A task that is ready to run, weights and compiled kernels on the device. */
export interface Contender {
  /**
   * So many runs, ended when the device is done: a single op leaves its result there, a network has its logits on the
   * host.
   */
  run(count: number): Promise<void>;
  /** What the last run computed. */
  result(): Promise<Float32Array>;
  /** What a run takes at least, where the engine knows. */
  readonly work?: Work;
  dispose(): Promise<void> | void;
}

/** A decoder that is ready. */
export interface Writer {
  /** Logits after the last token. */
  logits(tokens: readonly number[]): Promise<Float32Array>;
  /** The likeliest tokens after a prompt, each on the host when it is given. */
  write(prompt: readonly number[], count: number): AsyncIterable<number>;
  /** Of a prompt, and of a token after it. */
  readonly work?: readonly [prefill: Work, decode: Work];
  dispose(): Promise<void> | void;
}

/** An engine, and what of the bench it can do. */
export interface Competitor {
  readonly engine: EngineName;
  readonly version: string;
  matmul?(task: MatmulTask): Promise<Contender>;
  conv2d?(task: ConvTask): Promise<Contender>;
  attention?(task: AttentionTask): Promise<Contender>;
  resnet?(task: ResNetTask): Promise<Contender>;
  /** A run takes its inputs from the host and gives all outputs to it. */
  onnx?(task: OnnxTask): Promise<Contender>;
  text?(task: TextTask): Promise<Writer>;
  close(): Promise<void> | void;
}
