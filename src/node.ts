/** The public API in Node: the condition `node` of the package's `exports`. */
import './disk.ts';

export * from './index.ts';
