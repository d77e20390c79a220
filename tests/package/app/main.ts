// An app in strict TypeScript that uses what is public.
import {
  type Availability,
  Engine,
  type ImageClassifier,
  type LoadOptions,
  type Prediction,
  type Session,
  type TextGenerator,
  TilewrightError,
} from 'tilewright';

const options: LoadOptions = { dtype: { default: 'int8', fc: 'float32' }, onProgress: ({ loaded }) => void loaded };

export async function classify(image: HTMLImageElement): Promise<Prediction | undefined> {
  const available: Availability = await Engine.availability();
  if (!available.available) throw new TilewrightError(available.code, available.reason);
  const engine = await Engine.create();
  const model = await engine.load('/model/', options);
  if (model.task === 'image-classification') return first(model, image);
  if (model.task === 'text-generation') await write(model);
  await engine.verify(model);
  engine.dispose();
  return undefined;
}

const first = async (model: ImageClassifier, image: HTMLImageElement) => (await model.classify(image))[0];

async function write(model: TextGenerator): Promise<string> {
  let written = '';
  for await (const { text } of model.generate('ROMEO:', { topK: 40, seed: 1 })) written += text;
  return written;
}

export async function sum(engine: Engine): Promise<number> {
  const b = engine.graph();
  const x = b.input('x', { dataType: 'float32', shape: [2, 2] });
  const session: Session = await engine.build(b.outputs({ y: b.reduceSum(x) }));
  const { y } = await session.run({ x: new Float32Array(4) });
  // @ts-expect-error: what is wrong is still told
  const wrong: number = session.run;
  return Number(y?.[0]) + wrong;
}
