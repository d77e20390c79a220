import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRange, serveFolder } from '../../tools/serve.mjs';

let base: string;
let server: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'tilewright-'));
  for (const folder of ['site/sub', 'site/bare', 'site/.hidden', 'weights'])
    mkdirSync(join(base, folder), { recursive: true });
  const files: Record<string, string> = {
    'secret.txt': 'secret',
    'site/index.html': '<!doctype html>',
    'site/sub/index.html': 'sub',
    'site/a b.txt': 'spaced',
    'site/empty.bin': '',
    'site/digits.bin': '0123456789',
    'site/.hidden/key': 'secret',
    'weights/model.safetensors': 'weights',
  };
  for (const name of ['app.js', 'app.mjs', 'app.css', 'app.json', 'app.wgsl', 'app.png', 'app.svg', 'app.woff2'])
    files[`site/${name}`] = 'x';
  files['site/packed.js'] = 'plain';
  for (const [name, text] of Object.entries(files)) writeFileSync(join(base, name), text);
  writeFileSync(join(base, 'site/packed.js.gz'), gzipSync('plain'));
  // Windows lets only administrators make links.
  if (process.platform !== 'win32') {
    symlinkSync(join(base, 'secret.txt'), join(base, 'site/link.txt'));
    symlinkSync(join(base, 'secret.txt'), join(base, 'site/app.js.gz'));
  }
  server = await serveFolder([{ '/': join(base, 'site') }, { '/weights/': join(base, 'weights') }]);
});

afterAll(async () => {
  await server.close();
  rmSync(base, { recursive: true });
});

/** One request whose path goes out exactly as written, which `fetch` would tidy up. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, headers, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

describe('files that lie there as gzip too', () => {
  const packed = async (accepted: string, more: Record<string, string> = {}, path = '/packed.js') => {
    const { headers, body, status } = await get(path, { 'accept-encoding': accepted, ...more });
    return { status, encoding: headers['content-encoding'], type: headers['content-type'], etag: headers.etag, body };
  };

  it('are sent so to those who take it, as what they are', async () => {
    const { encoding, type, body, etag } = await packed('br, gzip;q=0.8');
    expect([encoding, type]).toEqual(['gzip', 'text/javascript; charset=utf-8']);
    expect(gunzipSync(Buffer.from(body, 'latin1')).toString()).toBe('plain');
    expect(etag).not.toBe((await packed('br')).etag);
  });

  it('are sent plain to others, and in ranges', async () => {
    for (const accepted of ['', 'br', 'gzip;q=0', 'deflate, gzip;q=0.0'])
      expect(await packed(accepted), accepted).toMatchObject({ encoding: undefined, body: 'plain' });
    expect(await packed('gzip', { range: 'bytes=1-2' })).toMatchObject({
      status: 206,
      encoding: undefined,
      body: 'la',
    });
  });

  it('are none where the gzip is a link', async () => {
    expect(await packed('gzip', {}, '/app.js')).toMatchObject({ encoding: undefined, body: 'x' });
  });
});

describe('files', () => {
  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/app.js', 'text/javascript; charset=utf-8'],
    ['/app.mjs', 'text/javascript; charset=utf-8'],
    ['/app.css', 'text/css; charset=utf-8'],
    ['/app.json', 'application/json'],
    ['/app.wgsl', 'text/wgsl; charset=utf-8'],
    ['/app.png', 'image/png'],
    ['/app.svg', 'image/svg+xml'],
    ['/app.woff2', 'font/woff2'],
    ['/weights/model.safetensors', 'application/octet-stream'],
  ])('%s is %s', async (path, type) => {
    const { status, headers } = await get(path);
    expect([status, headers['content-type']]).toEqual([200, type]);
  });

  it('are found under an encoded name and with a query', async () => {
    expect((await get('/a%20b.txt?v=1')).body).toBe('spaced');
  });

  it('may be empty', async () => {
    expect(await get('/empty.bin')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '0' } });
  });

  it('are described without a body to HEAD', async () => {
    expect(await get('/digits.bin', {}, 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '10' },
    });
  });

  it('cannot be written', async () => {
    expect((await get('/digits.bin', {}, 'PUT')).status).toBe(405);
  });
});

describe('folders', () => {
  it('answer with their index under a last slash only', async () => {
    expect((await get('/sub/')).body).toBe('sub');
    expect(await get('/sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } });
    // A double slash would send the browser to another host.
    expect(await get('//sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } });
  });

  it('are not listed', async () => {
    expect((await get('/bare/')).status).toBe(404);
    expect((await get('/weights/')).status).toBe(404);
  });
});

describe('what is refused', () => {
  it.each(['/none.txt', '/none/', '/digits.bin/', '/weights/none'])('%s is not there', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it.each([
    '/../secret.txt',
    '/sub/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/weights/../../secret.txt',
    '/.hidden/key',
    '/link.txt',
  ])('%s does not lead out', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body).not.toContain('secret');
  });

  it.each(['/%', '/a%00b'])('%s is malformed', async (path) => {
    expect((await get(path)).status).toBe(400);
  });
});

describe('ranges', () => {
  const ranged = async (range: string, headers: Record<string, string> = {}) => {
    const answer = await get('/digits.bin', { range, ...headers });
    return [answer.status, answer.headers['content-range'], answer.body];
  };

  it('are sent with both ends included', async () => {
    expect(await ranged('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await ranged('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await ranged('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await ranged('bytes=8-99')).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await ranged('bytes=-99')).toEqual([206, 'bytes 0-9/10', '0123456789']);
  });

  it('outside the file are refused', async () => {
    expect((await ranged('bytes=10-')).slice(0, 2)).toEqual([416, 'bytes */10']);
    expect((await ranged('bytes=-0')).slice(0, 2)).toEqual([416, 'bytes */10']);
  });

  it('that are several or not understood give the whole file', async () => {
    for (const range of ['bytes=0-1,3-4', 'bytes=4-2', 'bytes=-', 'lines=1-2']) {
      expect(await ranged(range)).toEqual([200, undefined, '0123456789']);
    }
  });

  it('hold only for the version they were asked of', async () => {
    const { etag } = (await get('/digits.bin')).headers;
    expect((await ranged('bytes=0-0', { 'if-range': etag! }))[0]).toBe(206);
    expect((await ranged('bytes=0-0', { 'if-range': '"older"' }))[0]).toBe(200);
  });

  it('of an empty file are refused', () => {
    expect(parseRange('bytes=0-', 0)).toBeNull();
    expect(parseRange('bytes=-1', 0)).toBeNull();
  });
});

describe('close', () => {
  it('frees the port while a connection is kept open', async () => {
    const other = await serveFolder(join(base, 'site'));
    expect(await (await fetch(other.url)).text()).toBe('<!doctype html>');
    await other.close();
    await expect(fetch(other.url)).rejects.toThrow();
  });

  it('lets a taken port be an error', async () => {
    await expect(serveFolder(base, { port: server.port })).rejects.toThrow('EADDRINUSE');
  });
});
