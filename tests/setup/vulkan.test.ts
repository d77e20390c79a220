import { describe, expect, it } from 'vitest';
import { backportsLine, vulkanCandidates, vulkanEnv } from '../../tools/vulkan.mjs';

const files: Record<string, string[]> = {
  '/usr/share/vulkan/icd.d': ['radeon_icd.json', 'lvp_icd.x86_64.json', 'lvp_icd.i686.json'],
  '/opt/chrome': ['chrome', 'vk_swiftshader_icd.json'],
};
const machine = {
  platform: 'linux',
  env: {},
  home: '/home/ada',
  chromes: ['/opt/chrome/chrome'],
  list: (folder: string) => files[folder] ?? [],
};
const icds = (env: Record<string, string>) => vulkanCandidates({ ...machine, env }).map(({ icd }) => icd);

describe('vulkanCandidates', () => {
  it('tries the GPU, then llvmpipe, then the SwiftShader beside Chrome', () => {
    expect(vulkanCandidates(machine)).toEqual([
      { name: 'system', icd: '' },
      { name: 'llvmpipe', icd: '/usr/share/vulkan/icd.d/lvp_icd.i686.json' },
      { name: 'llvmpipe', icd: '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json' },
      { name: 'swiftshader', icd: '/opt/chrome/vk_swiftshader_icd.json' },
    ]);
  });

  it('keeps to the kind of adapter asked for', () => {
    expect(icds({ TILEWRIGHT_ADAPTER: 'gpu' })).toEqual(['']);
    expect(icds({ TILEWRIGHT_ADAPTER: 'swiftshader' })).not.toContain('');
  });

  it('takes the driver that the environment names, and no other', () => {
    expect(icds({ VK_DRIVER_FILES: '/mine.json' })).toEqual(['/mine.json']);
    expect(icds({ VK_ICD_FILENAMES: '/older.json' })).toEqual(['/older.json']);
  });

  it('looks where XDG says', () => {
    const list = (folder: string) => (folder === '/nix/share/vulkan/icd.d' ? ['lvp_icd.json'] : []);
    const env = { XDG_DATA_DIRS: '/nix/share:/other' };
    expect(vulkanCandidates({ ...machine, env, list }).at(-1)?.icd).toBe('/nix/share/vulkan/icd.d/lvp_icd.json');
  });

  it('has the system alone where Dawn does not use Vulkan', () => {
    expect(vulkanCandidates({ ...machine, platform: 'darwin' })).toEqual([{ name: 'system', icd: '' }]);
  });
});

describe('vulkanEnv', () => {
  it('names the driver to old and new loaders, and leaves the system its choice', () => {
    expect(vulkanEnv('/a.json')).toEqual({ VK_DRIVER_FILES: '/a.json', VK_ICD_FILENAMES: '/a.json' });
    expect(vulkanEnv('')).toEqual({});
  });
});

describe('backportsLine', () => {
  it('takes the mirror of a one-line source', () => {
    const source =
      'deb http://security.test/debian-security bookworm-security main\ndeb [arch=amd64] http://near.test/debian bookworm main\n';
    expect(backportsLine([source])).toBe('deb http://near.test/debian bookworm-backports main');
  });

  it('takes the mirror of a deb822 source, and the keys', () => {
    const security = 'Types: deb\nURIs: http://security.test/debian-security\nSuites: bookworm-security\n';
    const main = 'Types: deb\n# a comment\nURIs: http://near.test/debian\nSuites: bookworm bookworm-updates\n';
    expect(backportsLine([`${security}\n${main}`], '/keys.gpg')).toBe(
      'deb [signed-by=/keys.gpg] http://near.test/debian bookworm-backports main',
    );
  });

  it('falls back on the official mirror', () => {
    expect(backportsLine([])).toBe('deb http://deb.debian.org/debian bookworm-backports main');
  });

  it('adds nothing where the backports are, unless they are commented out', () => {
    const line = 'deb http://near.test/debian bookworm-backports main\n';
    expect(backportsLine([line])).toBeUndefined();
    expect(backportsLine([`# ${line}`])).toBeDefined();
  });
});
