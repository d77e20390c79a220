import { describe, expect, it } from 'vitest';
import { countersSince } from '../../src/gpu/counters.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { decodePicture } from '../../src/vision/decode.ts';
import { IMAGENET, type Preprocessing, preprocess } from '../../src/vision/preprocess.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { apart, noise, preprocessed } from '../support/pictures.ts';

const how: Preprocessing = { ...IMAGENET, size: [24, 24] };

function canvasOf(width: number, height: number, opaque = true): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const { data } = noise(width, height, opaque);
  canvas.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  return canvas;
}

type Made = VideoFrameInit & { rotation?: number; flip?: boolean };
const ofCanvas = (init: Made = {}, opaque = true) =>
  new VideoFrame(canvasOf(60, 44, opaque), { timestamp: 0, ...init });

/** Brightness and colours of one picture: the colours change slowly, as a browser may interpolate them. */
function yuv(colorSpace: VideoColorSpaceInit): VideoFrame {
  const [width, height] = [64, 48];
  const plane = (w: number, h: number, low: number, high: number) =>
    Array.from({ length: w * h }, (_, i) => low + ((high - low) * ((i % w) + Math.floor(i / w))) / (w + h));
  const data = Uint8Array.from([...plane(64, 48, 16, 235), ...plane(32, 24, 100, 140), ...plane(32, 24, 150, 110)]);
  return new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp: 0, colorSpace });
}

const BT709 = { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709', fullRange: false } as const;
const JPEG = { matrix: 'smpte170m', primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: true } as const;
const PAL = { ...BT709, primaries: 'bt470bg' } as const;

const pixels = (format: VideoPixelFormat) =>
  new VideoFrame(noise(61, 47).data, { format, codedWidth: 61, codedHeight: 47, timestamp: 0 });

describe("frames of videos on the device are the host's, within a byte", () => {
  it.each<[string, () => VideoFrame]>([
    ['of a canvas', () => ofCanvas()],
    ['of a canvas, partly transparent', () => ofCanvas({}, false)],
    ['cropped', () => ofCanvas({ visibleRect: { x: 10, y: 4, width: 32, height: 30 } })],
    ['wider than it is stored', () => ofCanvas({ displayWidth: 120, displayHeight: 44 })],
    ['turned', () => ofCanvas({ rotation: 90 })],
    ['mirrored', () => ofCanvas({ flip: true })],
    ['RGBA', () => pixels('RGBA')],
    ['BGRA', () => pixels('BGRA')],
    ['I420 of BT.709', () => yuv(BT709)],
    ['I420 as of JPEG', () => yuv(JPEG)],
  ])('%s', async (_, make) => {
    const engine = await testEngine();
    const frame = make();
    try {
      const expected = preprocess([await decodePicture(frame)], how);
      expect(apart(new Float32Array(await preprocessed(engine, frame, how)), expected, how)).toBeLessThan(1);
    } finally {
      frame.close();
    }
  });
});

describe('classify', () => {
  it('takes a VideoFrame without a read-back but the likeliest labels, in one submit', async () => {
    using engine = await freshEngine();
    using model = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    const frame = ofCanvas();
    const onHost = await model.classify(await decodePicture(frame), { topK: 3 });
    await model.classify(frame, { topK: 3 });
    const before = engine.counters;
    const found = await model.classify(frame, { topK: 3 });
    expect(countersSince(before, engine.counters)).toMatchObject({ bytesRead: 3 * 8, bytesUploaded: 0, submits: 1 });
    expect(engine.counters.bytes).toBe(before.bytes);
    expect(found.map(({ label }) => label)).toEqual(onHost.map(({ label }) => label));
    found.forEach(({ probability }, i) => {
      expect(probability).toBeCloseTo(onHost[i]!.probability, 4);
    });
    frame.close();
    await expect(model.classify(frame)).rejects.toMatchObject({
      code: 'invalid-image',
      message: 'the VideoFrame is closed',
    });
  });

  it('has the host take frames whose colours the device would change', async () => {
    using model = (await (await testEngine()).load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    for (const [make, where] of [
      [() => ofCanvas(), 'gpu'],
      [() => yuv(PAL), 'host'],
      [() => pixels('RGBX'), 'host'],
    ] as const) {
      const frame = make();
      expect(await model.preprocessesOn(frame)).toBe(where);
      expect(await model.classify(frame)).toHaveLength(5);
      frame.close();
    }
    expect(await model.preprocessesOn(new ImageData(1, 1))).toBe('host');
  });

  it('takes what a video shows', async () => {
    using model = (await (await testEngine()).load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    const video = document.createElement('video');
    await expect(model.classify(video)).rejects.toMatchObject({ code: 'invalid-image' });
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 64, height: 48 });
    const context = canvas.getContext('2d')!;
    context.putImageData(new ImageData(new Uint8ClampedArray(noise(64, 48, true).data), 64, 48), 0, 0);
    video.srcObject = canvas.captureStream();
    video.muted = true;
    await video.play();
    context.drawImage(canvas, 0, 0);
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    const [best] = await model.classify(video);
    const [same] = await model.classify(await createImageBitmap(video));
    expect(best!.label).toBe(same!.label);
    console.log('a video of a canvas is preprocessed on the', await model.preprocessesOn(video));
    for (const track of (video.srcObject as MediaStream).getTracks()) track.stop();
  });
});
