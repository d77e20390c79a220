import type { GenerateOptions } from '../../src/index.ts';
import { byId } from '../shared/dom.ts';
import { optionalNumber, readSampling } from '../shared/sampling.ts';

/** The settings as the page has them. */
export const readSettings = (): GenerateOptions => ({
  ...readSampling(),
  topK: optionalNumber('top-k'),
  seed: optionalNumber('seed'),
  overflow: byId('overflow', HTMLSelectElement).value === 'slide' ? 'slide' : 'stop',
});
