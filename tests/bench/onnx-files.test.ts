import { describe, expect, it } from 'vitest';
import { ONNX_CASES } from '../../bench/cases.ts';
import { onnxFiles, onnxTasks } from '../../bench/onnx-files.ts';
import { repositoryFolder } from '../support/files.ts';

const [first] = ONNX_CASES;

describe('the ONNX files of the bench', () => {
  it('are read from packages, with inputs of the shapes that the cases name', async () => {
    const files = await onnxFiles((path) => repositoryFolder(`node_modules/${path}`));
    const { tasks, notes } = await onnxTasks([first!], files);
    expect(notes).toEqual([]);
    expect(tasks[0]!.inputs['x']!.data).toHaveLength(3 * 640 * 640);
    expect(tasks[0]!.model.length).toBeGreaterThan(1e6);
  });

  it('are left out with a reason where a package is missing, and where its file is', async () => {
    const none = await onnxTasks(ONNX_CASES, {});
    expect(none.tasks).toEqual([]);
    expect(none.notes).toHaveLength(ONNX_CASES.length);
    expect(none.notes[0]).toBe(`PP-OCRv4 detection 640x640 was left out: node_modules has no ${first!.path}`);
    const gone = await onnxTasks([first!], { [first!.path]: repositoryFolder('node_modules/nothing/here.onnx') });
    expect(gone.tasks).toEqual([]);
    expect(gone.notes[0]).toMatch(/^PP-OCRv4 detection 640x640 was left out: .*here\.onnx/);
  });
});
