import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chooseAdapter, chromeCandidates, chromeFlags, findChrome, isSoftware } from '../../tools/chrome.mjs';

const folders: string[] = [];

/** A folder of shell scripts, by name and exit status. */
function scripts(statuses: Record<string, number>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tilewright-'));
  folders.push(folder);
  for (const [name, status] of Object.entries(statuses)) {
    writeFileSync(join(folder, name), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
  }
  return folder;
}

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('chromeCandidates', () => {
  it('goes by name first and by PATH second on Linux', () => {
    expect(chromeCandidates({ platform: 'linux', env: { PATH: '/a::/b' } })).toEqual([
      '/a/google-chrome',
      '/b/google-chrome',
      '/a/google-chrome-stable',
      '/b/google-chrome-stable',
      '/a/chromium',
      '/b/chromium',
      '/a/chromium-browser',
      '/b/chromium-browser',
    ]);
    expect(chromeCandidates({ platform: 'linux', env: {} })).toEqual([]);
  });

  it('looks at the applications of all users and of this one on macOS', () => {
    const found = chromeCandidates({ platform: 'darwin', home: '/Users/ada', env: {} });
    expect(found[0]).toBe('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
    expect(found[1]).toBe('/Users/ada/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
    expect(found).toContain('/Applications/Chromium.app/Contents/MacOS/Chromium');
    expect(found.at(-1)).toContain('Canary');
  });

  it('takes Edge last on Windows, and skips folders that are not set', () => {
    const env = { PROGRAMFILES: 'C:\\Program Files', LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local' };
    const found = chromeCandidates({ platform: 'win32', env });
    expect(found[0]).toBe('C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe');
    expect(found[1]).toBe('C:\\Users\\ada\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe');
    expect(found.slice(-2).every((path) => path.endsWith('msedge.exe'))).toBe(true);
    expect(found.slice(0, -2).some((path) => path.endsWith('msedge.exe'))).toBe(false);
    expect(found).toHaveLength(8);
  });
});

describe('findChrome', () => {
  it('takes CHROME_PATH before all others', async () => {
    vi.stubEnv('CHROME_PATH', process.execPath); // answers --version, which is all that is asked
    expect(await findChrome()).toBe(process.execPath);
  });

  it('refuses a CHROME_PATH that is not there', async () => {
    vi.stubEnv('CHROME_PATH', '/no/such/chrome');
    await expect(findChrome()).rejects.toThrow('CHROME_PATH is /no/such/chrome, but there is no such file.');
  });

  it.skipIf(process.platform === 'win32')('refuses a CHROME_PATH that does not run', async () => {
    vi.stubEnv('CHROME_PATH', join(scripts({ chrome: 1 }), 'chrome'));
    await expect(findChrome()).rejects.toThrow('does not run as a browser');
  });

  it.skipIf(process.platform !== 'linux')('passes over a stub that does not run', async () => {
    const folder = scripts({ 'google-chrome': 10, chromium: 0 });
    vi.stubEnv('CHROME_PATH', '');
    vi.stubEnv('PATH', folder);
    expect(await findChrome()).toBe(join(folder, 'chromium'));
  });
});

describe('chromeFlags', () => {
  const user = { root: false, ci: false };

  it('asks for SwiftShader only when told to', () => {
    const swiftshader = '--use-webgpu-adapter=swiftshader';
    expect(chromeFlags({ software: true, platform: 'linux', ...user })).toContain(swiftshader);
    expect(chromeFlags({ software: false, platform: 'linux', ...user })).not.toContain(swiftshader);
  });

  it('asks for Vulkan on Linux with a GPU only', () => {
    const vulkan = '--enable-features=Vulkan';
    expect(chromeFlags({ software: false, platform: 'linux', ...user })).toContain(vulkan);
    expect(chromeFlags({ software: true, platform: 'linux', ...user })).not.toContain(vulkan);
    expect(chromeFlags({ software: false, platform: 'darwin', ...user })).not.toContain(vulkan);
  });

  it('gives up the sandbox only as root or in CI, on Linux', () => {
    const sandboxed = (platform: string, root: boolean, ci: boolean) =>
      !chromeFlags({ software: true, platform, root, ci }).includes('--no-sandbox');
    expect(sandboxed('linux', false, false)).toBe(true);
    expect(sandboxed('linux', true, false)).toBe(false);
    expect(sandboxed('linux', false, true)).toBe(false);
    expect(sandboxed('darwin', true, true)).toBe(true);
    expect(sandboxed('win32', false, true)).toBe(true);
  });
});

describe('isSoftware', () => {
  it('knows the adapters that compute on the CPU', () => {
    expect(isSoftware({ vendor: 'google', architecture: 'swiftshader' })).toBe(true);
    expect(isSoftware({ vendor: 'mesa', description: 'llvmpipe: Mesa 25' })).toBe(true);
    expect(isSoftware({ vendor: 'someone', isFallbackAdapter: true })).toBe(true);
    expect(isSoftware({ vendor: 'nvidia', architecture: 'ampere', isFallbackAdapter: false })).toBe(false);
    expect(isSoftware({})).toBe(false);
  });
});

describe('chooseAdapter', () => {
  it('obeys TILEWRIGHT_ADAPTER without asking a browser', async () => {
    vi.stubEnv('TILEWRIGHT_ADAPTER', 'gpu');
    expect(await chooseAdapter('/no/such/chrome')).toEqual({ software: false });
    vi.stubEnv('TILEWRIGHT_ADAPTER', 'swiftshader');
    expect(await chooseAdapter('/no/such/chrome')).toEqual({ software: true });
  });

  it('refuses any other value', async () => {
    vi.stubEnv('TILEWRIGHT_ADAPTER', 'cpu');
    await expect(chooseAdapter('/no/such/chrome')).rejects.toThrow(
      'TILEWRIGHT_ADAPTER is cpu, expected gpu or swiftshader.',
    );
  });
});
