import { describe, expect, it } from 'vitest';
import { topological } from '../../src/graph/ir.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { testEngine } from '../support/engine.ts';
import { readFixture } from '../support/files.ts';
import { parseReference } from '../support/references.ts';
