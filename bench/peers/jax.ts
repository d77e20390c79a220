import type * as JaxJs from '@jax-js/jax';
import { devDependencies } from '../../package.json';
import type { ResNetSize, Tensors } from '../models.ts';
import type { Competitor, Contender } from './contender.ts';
import { IN_NODE, importFile } from './packages.ts';
import { permute } from './permute.ts';
import { foldedResNet } from './resnet.ts';

type Jax = typeof JaxJs;
type Tensor = JaxJs.Array;

/**
 * Jax-js on WebGPU, from its `dist` folder. What is computed is compiled as a whole (`jit`), as its documents advise.
 * A function of it frees the arrays that it is given: `ref` keeps one.
 */
export async function openJax(dist: string): Promise<Competitor> {
  if (IN_NODE) actAsBrowser();
  const jax = await importFile<Jax>(dist, 'index.js');
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('it found no WebGPU');
  jax.defaultDevice('webgpu');
  const { lax, nn, numpy: np } = jax;
  const { queue } = jax.getWebGPUDevice();

  function op(inputs: readonly Tensor[], compute: (...inputs: Tensor[]) => Tensor): Contender {
    const compiled = jax.jit(compute);
    let output: Tensor | undefined;
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          output?.dispose();
          output = compiled(...inputs.map((input) => input.ref));
          await output.ref.gpuBuffer(); // work is queued when its result is asked for
        }
        await queue.onSubmittedWorkDone();
      },
      result: async () => (await output!.ref.data()) as Float32Array,
      dispose() {
        output?.dispose();
        for (const input of inputs) input.dispose();
        compiled.dispose();
      },
    };
  }

  return {
    engine: 'jax-js',
    version: devDependencies['@jax-js/jax'],
    async matmul({ m, k, n, input, weights }) {
      return op([np.array(input, { shape: [m, k] }), np.array(weights, { shape: [k, n] })], np.matmul);
    },
    async conv2d({ layer: { size, channels, out, window, stride, groups }, input, weights }) {
      const filter = permute(weights, [window, window, channels / groups, out], [3, 2, 0, 1]);
      const image = permute(input, [1, size, size, channels], [0, 3, 1, 2]);
      const conv = op(
        [
          np.array(image, { shape: [1, channels, size, size] }),
          np.array(filter, { shape: [out, channels / groups, window, window] }),
        ],
        (x, w) =>
          lax.convGeneralDilated(x, w, [stride, stride], around(window), {
            featureGroupCount: groups,
          }),
      );
      const side = size / stride;
      return { ...conv, result: async () => permute(await conv.result(), [1, out, side, side], [0, 2, 3, 1]) };
    },
    async attention({ queries, keys, heads, width, query, key, value }) {
      const tensor = (data: Float32Array, length: number): Tensor =>
        np.array(data, { shape: [length, heads, width / heads] });
      const inputs = [tensor(query, queries), tensor(key, keys), tensor(value, keys)];
      return op(inputs, (q, k, v) => nn.dotProductAttention(q, k, v));
    },
    async resnet({ tensors, size, pixels }) {
      const { weights, forward } = resnet(jax, tensors, size);
      const compiled = jax.jit(forward);
      let logits = new Float32Array();
      return {
        async run(count) {
          for (let i = 0; i < count; i++) {
            const image = np.array(pixels, { shape: [1, 3, size.image, size.image] });
            logits = (await compiled(image).data()) as Float32Array<ArrayBuffer>;
          }
        },
        result: async () => logits,
        dispose() {
          compiled.dispose();
          for (const weight of weights) weight.dispose();
        },
      };
    },
    close: () => {}, // a page has one device of it, which a second start would take again
  };
}

/** It looks for the name of the browser, and takes iterators to have what Node gives them from 22 on. */
function actAsBrowser(): void {
  Object.assign(navigator, { userAgent: navigator.userAgent ?? '' });
  const iterators = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as Record<string, unknown>;
  for (const name of ['map', 'filter'] as const)
    iterators[name] ??= function (this: Iterable<unknown>, use: (value: unknown) => unknown) {
      return [...this][name](use).values();
    };
}

/** So much of a border that a window fits around every pixel. */
const around = (window: number): [number, number][] => {
  const side = (window - 1) / 2;
  return [
    [side, side],
    [side, side],
  ];
};

/** [1,3,H,W] to logits. */
function resnet({ lax, nn, numpy: np }: Jax, tensors: Tensors, size: ResNetSize) {
  const weights: Tensor[] = [];
  const keep = (data: Float32Array, shape: readonly number[]): Tensor => {
    const tensor = np.array(data, { shape: [...shape] });
    weights.push(tensor);
    return tensor;
  };
  const { stem, blocks } = foldedResNet(tensors, size, ({ filter: oihw, shape, bias: shift, stride }) => {
    const filter = keep(oihw, shape);
    const bias = keep(shift, [1, shape[0], 1, 1]);
    return (x: Tensor): Tensor => np.add(lax.conv(x, filter.ref, [stride, stride], around(shape[2])), bias.ref);
  });
  const head = keep(tensors.get('fc.weight')!.data, tensors.get('fc.weight')!.shape);
  const bias = keep(tensors.get('fc.bias')!.data, [1, size.classes]);
  const forward = (image: Tensor): Tensor => {
    // No value is below zero here, so that a border of zeros changes no maximum.
    const padded = np.pad(nn.relu(stem(image)), [[0, 0], [0, 0], ...around(3)]);
    let x = lax.reduceWindow(padded, (window) => np.max(window), [3, 3], [2, 2]);
    for (const { layers, shortcut } of blocks) {
      const y = layers.reduce((y, layer, i) => layer(i ? nn.relu(y) : y), x.ref);
      x = nn.relu(np.add(y, shortcut ? shortcut(x) : x));
    }
    return np.add(np.matmul(np.mean(x, [2, 3]), np.matrixTranspose(head.ref)), bias.ref);
  };
  return { weights, forward };
}
