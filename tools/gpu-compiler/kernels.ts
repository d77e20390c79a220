import { fileURLToPath } from 'node:url';
import {
  type AttentionShape,
  attentionName,
  CONV_LAYERS,
  type ConvLayer,
  layerName,
  PRESET,
} from '../../bench/cases.ts';
import { attentionGraph, convGraph, matmulGraph, passOptions } from '../../bench/graphs.ts';
import { GEMMA2, GPT2, RESNET18, RESNET50, SMOLLM2 } from '../../bench/models.ts';
import type { Competitor, Contender } from '../../bench/peers/contender.ts';
import { attentionTask, convTask, matmulTask, openers } from '../../bench/peers/contest.ts';
import { peerFolders } from '../../bench/peers/packages.ts';
import { decoderOf, gptOf, resnetOf, resnetWeights } from '../../bench/published.ts';
import type { Caps } from '../../src/gpu/gpu.ts';
import { link } from '../../src/gpu/wgsl.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { optimise, type PassOptions } from '../../src/graph/passes/index.ts';
import { plan } from '../../src/graph/plan.ts';
import '../../src/disk.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { gpt2Prefix } from '../../src/models/detect.ts';
import { gpt2Graph, gpt2Shape } from '../../src/models/gpt2.ts';
import { openModel } from '../../src/models/index.ts';
import { Weights } from '../../src/models/weights.ts';
import type { Gpu } from './gpus.mjs';
import { singleOps } from './single-ops.ts';

/** A kernel of a workload, as text. */
export interface Kernel {
  /** What distinguishes it from other kernels: its label. */
  readonly name: string;
  readonly code: string;
  /** The workloads that run it, and the work of its dispatches there. */
  readonly uses: readonly Use[];
}

export interface Use {
  readonly workload: string;
  /** Where the kernel stands among the candidates: 0 is the first. */
  readonly choice: number;
  readonly dispatches: number;
  /** Of all dispatches together. */
  readonly macs: number;
  readonly bytes: number;
}

/** What a GPU has under Dawn; `unknown` where it does not tell its vendor. */
export const capsOf = ({ vendor, matrices = [] }: Gpu, unknown = false): Caps => ({
  software: false,
  manyRegisters: vendor === 'amd' && !unknown,
  f16: true,
  subgroups: true,
  minSubgroupSize: 8,
  subgroupMatrices: matrices,
  longKernels: true,
  longLoops: true,
  packedDot: true,
  maxBindingBytes: 2 ** 30,
  maxBufferBytes: 2 ** 31,
  maxWorkgroupStorageBytes: 2 ** 15,
  maxInvocations: 1024,
});

export interface Workload {
  readonly name: string;
  readonly options: PassOptions;
  /** Whose kernels are by subgroup matrices: elsewhere they are no candidates, as without a self-check. */
  readonly matrices?: true;
  graph(): Graph | Promise<Graph>;
  /** The same for the engines of bench/peers, where they do it. */
  readonly contest?: PeerCase;
}

export interface PeerCase {
  /** The products of matrices in it, with equally many multiply-accumulates. */
  readonly products: number;
  readonly macs: number;
  /** The bytes of each tensor that an engine may keep in memory. */
  readonly tensors: readonly number[];
  enter(peer: Competitor): Promise<Contender> | undefined;
}

const floats = (...lengths: number[]): number => 4 * lengths.reduce((a, b) => a * b, 1);

const matmulCase = (m: number, k: number, n: number): PeerCase => ({
  products: 1,
  macs: m * k * n,
  tensors: [floats(m, k), floats(k, n), floats(m, n)],
  enter: (peer) => peer.matmul?.(matmulTask(m, k, n)),
});

function convCase(layer: ConvLayer): PeerCase {
  const { size, channels, out, window, stride, groups } = layer;
  const weights = [window, window, channels / groups, out];
  const pixels = (size / stride) ** 2;
  return {
    products: 1,
    macs: (pixels * floats(...weights)) / 4,
    tensors: [floats(size, size, channels), floats(...weights), floats(pixels, out)],
    enter: (peer) => peer.conv2d?.(convTask(layer)),
  };
}

function attentionCase(shape: AttentionShape): PeerCase {
  const { queries, keys, heads, width } = shape;
  return {
    products: 2,
    macs: 2 * queries * keys * width,
    tensors: [floats(queries, width), floats(keys, width), floats(heads, queries, keys)],
    enter: (peer) => peer.attention?.(attentionTask(shape)),
  };
}

/** What starts each peer that has kernels for a GPU, from node_modules. */
export async function peersOnGpu(): Promise<[name: string, open: () => Promise<Competitor>][]> {
  const folders = await peerFolders((name) =>
    fileURLToPath(new URL(`../../node_modules/${name}/dist`, import.meta.url)),
  );
  return Object.entries(openers(folders)).filter(([name]) => name !== 'onnxruntime-web-wasm');
}

const builders = { graph: () => new GraphBuilder() };

/** The bench's cases, published models, and those that ship. */
export function workloads(): Workload[] {
  const { attention, convDtypes: dtypes } = PRESET.full;
  const zeros = (...shape: number[]): Float32Array<ArrayBuffer> => new Float32Array(shape.reduce((a, b) => a * b, 1));
  const bench: Workload[] = [
    ...dtypes.flatMap((dtype) =>
      [128, 512, 1024, 4096].map((n) => ({
        name: `matmul ${n} ${dtype}`,
        options: passOptions(dtype),
        graph: () => matmulGraph(builders, [n, n, n], dtype, half(dtype, zeros(n, n))),
        ...(dtype === 'float32' && { contest: matmulCase(n, n, n) }),
      })),
    ),
    ...([...dtypes, 'w8a8'] as const).map((dtype) => ({
      name: `gemv 4096 ${dtype}`,
      options: passOptions(dtype),
      graph: () => matmulGraph(builders, [1, 4096, 4096], dtype, half(dtype, zeros(4096, 4096))),
      ...(dtype === 'float32' && { contest: matmulCase(1, 4096, 4096) }),
    })),
    ...dtypes.flatMap((dtype) =>
      CONV_LAYERS.map((layer) => ({
        name: `conv2d ${layerName(layer)} ${layer.size}x${layer.size}x${layer.channels} ${dtype}`,
        options: passOptions(dtype),
        graph: () =>
          convGraph(
            builders,
            layer,
            dtype,
            half(dtype, zeros(layer.window, layer.window, layer.channels / layer.groups, layer.out)),
          ),
        ...(dtype === 'float32' && { contest: convCase(layer) }),
      })),
    ),
    ...(['float32', 'float16'] as const).flatMap((dtype) =>
      attention.map((shape) => ({
        name: `attention ${attentionName(shape)} ${dtype}`,
        options: {},
        graph: () => attentionGraph(builders, shape, dtype),
        ...(dtype === 'float32' && { contest: attentionCase(shape) }),
      })),
    ),
  ];
  const models: Workload[] = (['float32', 'float16', 'int8', 'int4'] as const).flatMap((dtype) => {
    const options = passOptions(dtype);
    const type = dtype === 'float16' ? dtype : 'float32';
    const resnets = [
      { name: 'resnet18', graph: () => resnetOf(resnetWeights(RESNET18), 224, type) },
      { name: 'resnet50', graph: () => resnetOf(resnetWeights(RESNET50), 224, type) },
      { name: 'resnet20-cifar10', graph: () => shippedResNet(type) },
    ];
    const gpts = [1, 16, 128, 512].map((tokens) => ({
      name: `gpt2 ${tokens === 1 ? 'decode' : `prefill ${tokens}`}`,
      graph: () => gptOf(GPT2, tokens, type),
    }));
    const shipped = [1, 16].map((tokens) => ({
      name: `gpt-shakespeare ${tokens === 1 ? 'decode' : `prefill ${tokens}`}`,
      graph: () => shippedGpt(tokens, type),
    }));
    const decoders = [
      { name: 'smollm2 decode', graph: () => decoderOf(SMOLLM2, 1, type) },
      ...(dtype === 'int8' ? [] : [{ name: 'gemma2 decode', graph: () => decoderOf(GEMMA2, 1, type) }]),
    ];
    return [...(dtype === 'int4' ? [] : resnets), ...gpts, ...shipped, ...decoders].map(({ name, graph }) => ({
      name: `${name} ${dtype}`,
      options,
      graph,
    }));
  });
  return [...bench, ...models, ...byMatrices(), ...singleOps()];
}

/** Products of 1024 × 1024, and a convolution, by subgroup matrices. */
function byMatrices(): Workload[] {
  const n = 1024;
  const halves = (...shape: number[]) => [{ dataType: 'float16' as const, shape }, new Uint16Array(n * n)] as const;
  const product = (layout: string, transposeB: boolean) => ({
    name: `matmul ${n} ${layout} float16`,
    options: {},
    graph: () => {
      const b = new GraphBuilder();
      const x = b.input('x', halves(n, n)[0]);
      return b.outputs({ y: b.matmul(x, b.constant(...halves(n, n)), { transposeB }) });
    },
  });
  const conv = { name: '3x3', size: 56, channels: 64, out: 64, window: 3, stride: 1, groups: 1 };
  const integer = { ...passOptions('int8'), activations: 'dynamic', integer: () => true } as const;
  const list: Workload[] = [
    product('[K,N]', false),
    product('[N,K]', true),
    {
      name: `matmul ${n} int8`,
      options: integer,
      graph: () => matmulGraph(builders, [n, n, n], 'int8', new Float32Array(n * n)),
    },
    {
      name: 'conv2d 3x3 56x56x64 float16',
      options: {},
      graph: () => convGraph(builders, conv, 'float16', new Uint16Array(9 * 64 * 64)),
    },
  ];
  return list.map((workload) => ({ ...workload, name: `${workload.name} by subgroup matrices`, matrices: true }));
}

/** Weights in the type of a graph's operands. */
const half = (dtype: string, weights: Float32Array<ArrayBuffer>) =>
  dtype === 'float16' ? new Uint16Array(weights.length) : weights;

const shipped = async (name: string) => {
  const files = await openModel(await openFolder(fileURLToPath(new URL(`../../weights/${name}`, import.meta.url))));
  return { files, weights: new Weights(files.checkpoint, gpt2Prefix(files.checkpoint.tensors) ?? '') };
};

async function shippedResNet(dataType: 'float32' | 'float16'): Promise<Graph> {
  const { weights } = await shipped('resnet20-cifar10');
  return resnetOf(weights, 32, dataType);
}

async function shippedGpt(tokens: number, dataType: 'float32' | 'float16'): Promise<Graph> {
  const { files, weights } = await shipped('gpt-shakespeare');
  return gpt2Graph(weights, gpt2Shape(files, weights), { dataType, tokens, predict: 'last' });
}

/**
 * The kernels of workloads on a GPU: the first `choices` candidates of every step, each text once, in the order of their names.
 */
export async function kernelsOf(list: readonly Workload[], choices: number, caps: Caps): Promise<Kernel[]> {
  await loadOps();
  const found = new Map<string, { name: string; uses: Map<string, Use> }>();
  for (const { name: workload, options, matrices = false, graph } of list) {
    const { steps } = plan(optimise(await graph(), options, caps), caps);
    for (const { candidates, cost } of steps) {
      const own = candidates.filter(({ experimental }) => (experimental !== undefined) === matrices);
      own.slice(0, choices).forEach(({ label, variant }, choice) => {
        const { code } = link(variant);
        const kernel = found.get(code) ?? { name: label, uses: new Map() };
        found.set(code, kernel);
        const key = `${workload} ${choice}`;
        const use = kernel.uses.get(key) ?? { workload, choice, dispatches: 0, macs: 0, bytes: 0 };
        kernel.uses.set(key, {
          ...use,
          dispatches: use.dispatches + 1,
          macs: use.macs + cost.macs,
          bytes: use.bytes + cost.bytes,
        });
      });
    }
  }
  // Kernels of one label differ in a constant that the label does not tell.
  const seen = new Map<string, number>();
  return [...found].map(([code, { name, uses }]) => {
    const again = (seen.get(name) ?? 0) + 1;
    seen.set(name, again);
    return { name: again > 1 ? `${name} #${again}` : name, code, uses: [...uses.values()] };
  });
}
