// An app as a user writes it: a picture is classified, or a text is written, and what came of it stands in the title.
import { Engine } from 'tilewright';

const { model: name = 'resnet20-cifar10', ...options } = Object.fromEntries(new URLSearchParams(location.search));
try {
  const engine = await Engine.create();
  const model = await engine.load(`/weights/${name}/`, options);
  if (model.task === 'image-classification') {
    const picture = await createImageBitmap(await (await fetch('/weights/samples/cat.png')).blob());
    const [best] = await model.classify(picture);
    document.title = `${best.label} ${best.probability}`;
  } else {
    let written = '';
    for await (const { text } of model.generate('ROMEO:', { maxNewTokens: 4 })) written += text;
    document.title = `wrote ${written.length}`;
  }
} catch (error) {
  document.title = `error: ${error.stack}`;
}
