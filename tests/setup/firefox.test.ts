import { afterEach, describe, expect, it, vi } from 'vitest';
import { findFirefox, firefoxCandidates } from '../../tools/firefox.mjs';

afterEach(() => vi.unstubAllEnvs());

describe('Firefox', () => {
  it('is looked for by name first and by PATH second on Linux', () => {
    expect(firefoxCandidates({ platform: 'linux', env: { PATH: '/a::/b' } })).toEqual([
      '/a/firefox',
      '/b/firefox',
      '/a/firefox-esr',
      '/b/firefox-esr',
    ]);
  });

  it('is looked for among the applications on macOS and the programs on Windows', () => {
    expect(firefoxCandidates({ platform: 'darwin', home: '/Users/ada', env: {} })[0]).toBe(
      '/Applications/Firefox.app/Contents/MacOS/firefox',
    );
    const env = { PROGRAMFILES: 'C:\\Program Files' };
    expect(firefoxCandidates({ platform: 'win32', env })[0]).toBe('C:\\Program Files\\Mozilla Firefox\\firefox.exe');
  });

  it('is the one that FIREFOX_PATH names, which has to be there', async () => {
    vi.stubEnv('FIREFOX_PATH', process.execPath); // answers --version, which is all that is asked
    expect(await findFirefox()).toBe(process.execPath);
    vi.stubEnv('FIREFOX_PATH', '/no/such/firefox');
    await expect(findFirefox()).rejects.toThrow('FIREFOX_PATH is /no/such/firefox, but there is no such file.');
  });
});
