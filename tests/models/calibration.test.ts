import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { calibrationTensors, magnitude, storedCalibration } from '../../src/models/calibration.ts';

describe('calibration', () => {
  it('takes the largest magnitude, or the one that so many per cent do not exceed', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i % 2 ? 1 : -1) * (i + 1));
    expect(magnitude(values, 100)).toBe(1000);
    expect(magnitude(values, 99.9)).toBe(999);
    expect(magnitude(values, 50)).toBe(500);
    expect(magnitude(new Float32Array(), 100)).toBe(0);
  });

  it('is kept as tensors of one number beside the weights', async () => {
    const calibration = { 'layer1.0.conv1': Math.fround(0.0123), fc: 0.5 };
    const other = { name: 'fc.weight', storedType: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
    const file = encodeSafetensors([other, ...calibrationTensors(calibration)]);
    const checkpoint = await openSafetensors(bytesSource('file', file));
    expect([...checkpoint.tensors.keys()]).toContain('layer1.0.conv1.input_scale');
    expect(await storedCalibration(checkpoint)).toEqual(calibration);
    const bare = await openSafetensors(bytesSource('file', encodeSafetensors([other])));
    expect(await storedCalibration(bare)).toBeUndefined();
  });
});
