// An app as a user writes it: a picture is classified, and what came of it stands in the title.
import { Engine } from 'tilewright';

try {
  const engine = await Engine.create();
  const model = await engine.load('/weights/resnet20-cifar10/', { dtype: 'int8' });
  const picture = await createImageBitmap(await (await fetch('/weights/samples/cat.png')).blob());
  const [best] = await model.classify(picture);
  document.title = `${best.label} ${best.probability}`;
} catch (error) {
  document.title = `error: ${error.stack}`;
}
