import { afterEach } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** How many were compiled since the test before: the budget of a suite counts them. */
    pipelines?: number;
  }
}

declare global {
  var tilewrightPipelines: number | undefined;
}

// Once in a process or a page: this runs before each file of tests.
if (globalThis.tilewrightPipelines === undefined) {
  globalThis.tilewrightPipelines = 0;
  const { prototype } = GPUDevice;
  const create = prototype.createComputePipelineAsync;
  prototype.createComputePipelineAsync = function (descriptor) {
    globalThis.tilewrightPipelines!++;
    return create.call(this, descriptor);
  };
}

afterEach(({ task }) => {
  task.meta.pipelines = globalThis.tilewrightPipelines ?? 0;
  globalThis.tilewrightPipelines = 0;
});
