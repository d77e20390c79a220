// `npm run gpu-compiler -- [options]`: what the compilers of GPUs make of our kernels, without the GPUs (docs/performance.md).
import { ensurePackages } from '../setup.mjs';

await ensurePackages();
await import('./command.mjs');
