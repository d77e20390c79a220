import { loadOps } from '../../src/graph/groups/index.ts';

// Tests build graphs of any op.
await loadOps();
