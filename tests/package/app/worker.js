// The app with its engine in a worker: a picture is classified while a text is written, and what came of both stands in the title.
import { Engine } from 'tilewright/worker';

try {
  const engine = await Engine.create();
  const [model, gpt] = await Promise.all([
    engine.load('/weights/resnet20-cifar10/'),
    engine.load('/weights/gpt-shakespeare/'),
  ]);
  const image = new Image();
  image.src = '/weights/samples/cat.png';
  await image.decode();
  let written = '';
  for await (const { text } of gpt.generate('ROMEO:', { maxNewTokens: 4 })) written += text;
  const [best] = await model.classify(image);
  engine.dispose();
  document.title = written ? `${best.label} ${best.probability}` : 'nothing was written';
} catch (error) {
  document.title = `error: ${error.stack} ${error.hint}`;
}
