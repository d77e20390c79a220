/** `tilewright/cache` in Node: the condition `node` of the package's `exports`. */
import { diskStore } from './disk.ts';
import { disk } from './open.ts';

disk.store = diskStore;

export * from './index.ts';
