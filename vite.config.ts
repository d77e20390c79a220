import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { wgsl } from './tools/wgsl-plugin.ts';

const entry = (path: string): string => resolve(import.meta.dirname, path);

export default defineConfig({
  plugins: [wgsl()],
  build: {
    target: 'es2022',
    outDir: 'dist/lib',
    emptyOutDir: true,
    lib: { entry: { index: entry('src/index.ts') }, formats: ['es'] },
    rollupOptions: { external: [/^node:/, '@huggingface/tokenizers'] },
  },
});
