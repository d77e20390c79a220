import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensurePackages } from '../../tools/setup.mjs';
import { isFile, parseRelease, run } from '../../tools/system.mjs';

describe('ensurePackages', () => {
  let root: string;

  /** The lines it logged. */
  async function ensure(): Promise<string[]> {
    const lines: string[] = [];
    await ensurePackages({ root, log: (line: string) => lines.push(line) });
    return lines;
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tilewright-')) + sep;
    // A dependency that is a folder needs no registry.
    mkdirSync(`${root}part`);
    writeFileSync(`${root}part/package.json`, '{"name":"part","version":"1.0.0"}');
    writeFileSync(`${root}package.json`, '{"name":"whole","version":"1.0.0","dependencies":{"part":"file:part"}}');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('installs what is missing, once, and again when the lock is newer', { timeout: 60_000 }, async () => {
    expect(await ensure()).toEqual([
      'Installing packages (npm install).',
      expect.stringMatching(/^Packages installed in \d+ s\.$/),
    ]);
    expect(statSync(`${root}node_modules/part`).isDirectory()).toBe(true);
    expect(await ensure()).toEqual([]);

    const later = Date.now() / 1000 + 10;
    utimesSync(`${root}package-lock.json`, later, later);
    expect((await ensure())[0]).toBe('Installing packages (npm ci).');

    utimesSync(`${root}package-lock.json`, 0, 0);
    rmSync(`${root}node_modules`, { recursive: true });
    expect((await ensure())[0]).toBe('Installing packages (npm ci).');
  });

  it('says that npm failed', { timeout: 60_000 }, async () => {
    writeFileSync(`${root}package-lock.json`, '{}');
    await expect(ensure()).rejects.toThrow('The packages could not be installed: npm ci failed, see above.');
  });
});

describe('run', () => {
  it('reports success and failure alike without throwing', async () => {
    const node = (script: string) => run(process.execPath, ['-e', script]);
    expect(await node('console.log("out"); console.error("err")')).toMatchObject({
      ok: true,
      stdout: 'out\n',
      output: 'out\nerr',
    });
    expect((await node('process.exit(3)')).ok).toBe(false);
    expect((await run('no-such-command', [])).ok).toBe(false);
  });

  it('stops what outlasts its time', async () => {
    const started = Date.now();
    const { ok } = await run(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { timeout: 300 });
    expect(ok).toBe(false);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});

describe('isFile', () => {
  it('knows a file from a folder and from nothing', () => {
    expect(isFile(process.execPath)).toBe(true);
    expect(isFile(tmpdir())).toBe(false);
    expect(isFile(join(process.execPath, 'inside'))).toBe(false);
  });
});

describe('parseRelease', () => {
  it('reads a Debian and its descendant', () => {
    const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_CODENAME=bookworm\nID=debian\n';
    expect(parseRelease(debian)).toEqual({ id: 'debian', codename: 'bookworm', debian: true });
    const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=xia\n';
    expect(parseRelease(mint)).toEqual({ id: 'linuxmint', codename: 'xia', debian: true });
  });

  it('does not take others for one', () => {
    expect(parseRelease('ID=fedora\nVARIANT_ID=server\n').debian).toBe(false);
  });
});
