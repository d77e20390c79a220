import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { diskStore } from '../../src/hub/cache/disk.ts';
import { disk } from '../../src/hub/cache/open.ts';
import { BLOCK } from '../../src/hub/policy.ts';
import { userCache } from '../../src/user-cache.ts';
import { cacheCases } from './cache-cases.ts';
import { ownCacheFolder } from './cache-folder.ts';

const folder = ownCacheFolder();

describe('the cache on the disk', () => {
  cacheCases({
    async damage(part, change) {
      const root = join(folder(), 'tilewright/models');
      const paths = readdirSync(root, { recursive: true }).map((path) => join(root, String(path)));
      const path = paths.find((one) => one.endsWith(`-${part}`))!;
      truncateSync(path, { shorter: BLOCK - 5, longer: BLOCK + 5, empty: 0 }[change]);
    },
    failWrites(after) {
      let count = 0;
      disk.store = () => ({
        ...diskStore(),
        async write(...file) {
          if (count++ >= after) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
          await diskStore().write(...file);
        },
      });
      onTestFinished(() => {
        disk.store = diskStore;
      });
    },
  });

  it('a folder that cannot be made is told of once, and models load', async () => {
    writeFileSync(join(folder(), 'tilewright'), 'a file in its place');
    const spy = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => spy.mockRestore());
    const { loadTwice } = await import('./cache-cases.ts');
    await loadTwice('org/elsewhere');
    expect(spy.mock.calls).toEqual([[expect.stringMatching(/org\/elsewhere@main is not kept in the cache.*ENOTDIR/)]]);
  });

  it('lies where caches of the user do', () => {
    expect(userCache()).toBe(`${folder()}/tilewright`);
    vi.stubEnv('XDG_CACHE_HOME', '');
    expect(userCache()).toMatch(/\/\.cache\/tilewright$/);
  });
});
