// An app as a user writes it: pictures go through the models of an OCR, and the shapes of what came of them stand in the title.
import { Engine } from 'tilewright';

const MODELS = {
  'ch_ppocr_mobile_v2.0_cls_infer': [1, 3, 48, 192],
  'ch_PP-OCRv4_det_infer': [1, 3, 32, 32],
  'ch_PP-OCRv4_rec_infer': [1, 3, 48, 32],
};
try {
  const engine = await Engine.create();
  const shapes = [];
  for (const [name, dims] of Object.entries(MODELS)) {
    const model = await engine.load(`/ocr/${name}.onnx`);
    const data = Float32Array.from({ length: dims.reduce((product, size) => product * size) }, (_, i) => Math.sin(i));
    const results = await model.run({ [model.inputs[0].name]: { dims, data } });
    shapes.push(Object.values(results)[0].dims);
  }
  document.title = shapes.join(' ');
} catch (error) {
  document.title = `error: ${error.stack}`;
}
