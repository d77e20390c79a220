import { byId } from '../../shared/dom.ts';
import { choice, slider, twoDigits } from '../shared/controls.ts';
import { type Desk, latest, remembered } from '../shared/lesson.ts';
import { Plot } from '../shared/plot.ts';
import { buildNeuron } from './compute.ts';

/** Inputs of the curve, −6 to 6. */
const POINTS = 241;
const INPUTS = Float32Array.from({ length: POINTS }, (_, i) => -6 + (12 * i) / (POINTS - 1));

const ABOUT: Readonly<Record<string, string>> = {
  relu: 'relu is max(0, z): what is below zero is nothing, what is above stays as it is.',
  leakyRelu: 'Leaky relu lets a little of what is below zero through, here a tenth, so that the slope is never zero.',
  sigmoid: 'The sigmoid is 1 / (1 + e⁻ᶻ): everything ends between 0 and 1, like a probability or a gate.',
  tanh: 'tanh is a sigmoid from −1 to 1: zero stays zero. Recurrent networks are made of it.',
  gelu: 'gelu is z times the probability that a normally distributed number is below z. GPT-2 has it.',
  swish: 'Swish, or silu, is z times its own sigmoid. It dips below zero before it rises.',
  elu: 'elu is eᶻ − 1 below zero and z above: smooth, and its mean is closer to zero than that of relu.',
  softplus: 'Softplus is ln(1 + eᶻ): relu with its corner rounded off.',
  hardSwish: 'Hard swish is swish made of straight pieces and one parabola: cheap on phones.',
};

export async function start(desk: Desk): Promise<void> {
  const neurons = new Map<string, ReturnType<typeof buildNeuron>>();
  const plot = new Plot(byId('curve', HTMLElement));
  const formula = byId('formula', HTMLOutputElement);
  const about = byId('about', HTMLElement);
  const show = latest(desk, async () => {
    const [f, weight, bias, at] = [name.value, w.value, b.value, x.value];
    // The slider's input is one point more.
    const run = await remembered(neurons, f, () => buildNeuron(desk.engine, f, POINTS + 1));
    const y = await run({ x: Float32Array.of(...INPUTS, at), weight: [weight], bias: [bias] });
    const curve = Array.from(INPUTS, (input, i) => [input, y[i]!] as const);
    const slope = curve.slice(1).map(([input, value], i) => {
      const [before, other] = curve[i]!;
      return [(input + before) / 2, (value - other) / (input - before)] as const;
    });
    const label = `${f} of ${twoDigits(weight)}·x + ${twoDigits(bias)} for x from −6 to 6, and its slope`;
    plot.show({
      x: { name: 'x', from: -6, to: 6, ticks: [-6, -4, -2, 0, 2, 4, 6] },
      y: { name: 'y', from: -3, to: 6, ticks: [-2, 0, 2, 4, 6] },
      lines: [
        { name: 'y', points: curve, series: 1 },
        { name: 'its slope', points: slope, series: 2, dashed: true },
      ],
      mark: [at, y.at(-1)!],
      label,
    });
    formula.textContent = `y = ${f}(${twoDigits(weight)}·${twoDigits(at)} + ${twoDigits(bias)}) = ${y.at(-1)!.toFixed(4).replace('-', '−')}`;
    about.textContent = ABOUT[f]!;
  });
  const name = choice('name', show);
  const [w, b, x] = [slider('w', show), slider('bias', show), slider('x', show)];
  await show();
}
