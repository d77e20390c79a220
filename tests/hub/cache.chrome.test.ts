import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { BLOCK } from '../../src/hub/policy.ts';
import { cacheCases, loadTwice } from './cache-cases.ts';

const root = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle('tilewright', { create: true });

beforeEach(async () => {
  await (await navigator.storage.getDirectory()).removeEntry('tilewright', { recursive: true }).catch(() => {});
});

/** The file of a part. */
async function partFile(part: number): Promise<FileSystemFileHandle> {
  for await (const folder of (await root()).values())
    if (folder.kind === 'directory')
      for await (const file of folder.values()) if (file.kind === 'file' && file.name.endsWith(`-${part}`)) return file;
  throw new Error(`there is no part ${part}`);
}

describe('the cache in the private file system of the origin', () => {
  cacheCases({
    async damage(part, change) {
      const writable = await (await partFile(part)).createWritable({ keepExistingData: true });
      await writable.truncate({ shorter: BLOCK - 5, longer: BLOCK + 5, empty: 0 }[change]);
      await writable.close();
    },
    failWrites(after) {
      const { createWritable } = FileSystemFileHandle.prototype;
      let count = 0;
      const spy = vi.spyOn(FileSystemFileHandle.prototype, 'createWritable').mockImplementation(function (
        this: FileSystemFileHandle,
        ...how
      ) {
        if (count++ >= after)
          throw new DOMException('The operation failed because it would cause …', 'QuotaExceededError');
        return createWritable.apply(this, how);
      });
      onTestFinished(() => spy.mockRestore());
    },
  });

  it('where there is none, as in some private windows, that is told of once, and models load', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const directory = vi
      .spyOn(navigator.storage, 'getDirectory')
      .mockRejectedValue(new DOMException('Security error', 'SecurityError'));
    onTestFinished(() => void vi.restoreAllMocks());
    await loadTwice('org/elsewhere');
    expect(directory).toHaveBeenCalled();
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/org\/elsewhere@main is not kept.*Security error/)]]);
  });
});
