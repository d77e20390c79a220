// Ops of GGML's blocks.
export { unblock } from '../unblock.ts';
