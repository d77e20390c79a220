import type { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';

type Activate = (b: GraphBuilder, x: Operand) => Operand;

const gelu: Activate = (b, x) => b.gelu(x);
const geluTanh: Activate = (b, x) => b.gelu(x, { approximate: 'tanh' });
const silu: Activate = (b, x) => b.swish(x);

/** Activations by the names that configs of transformers give them (its ACT2FN). */
export const ACTIVATIONS: Readonly<Record<string, Activate>> = {
  gelu,
  gelu_10: (b, x) => b.clamp(gelu(b, x), { minValue: -10, maxValue: 10 }),
  gelu_accurate: geluTanh,
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_python: gelu,
  gelu_python_tanh: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  leaky_relu: (b, x) => b.leakyRelu(x),
  linear: (_, x) => x,
  mish: (b, x) => b.mul(x, b.tanh(b.softplus(x))),
  quick_gelu: (b, x) => b.swish(x, { alpha: 1.702 }),
  relu: (b, x) => b.relu(x),
  relu2: (b, x) => {
    const y = b.relu(x);
    return b.mul(y, y);
  },
  relu6: (b, x) => b.clamp(x, { minValue: 0, maxValue: 6 }),
  sigmoid: (b, x) => b.sigmoid(x),
  silu,
  swish: silu,
  tanh: (b, x) => b.tanh(x),
};
