import { expect, it } from 'vitest';
import { build } from '../../tools/build.mjs';
import { findChrome } from '../../tools/chrome.mjs';
import { measureLoad, openPage, serveModel } from './large-model.ts';

const executablePath = await findChrome();
/** 129 MB; 486_000 make 498 MB. */
const VOCABULARY = Number(process.env['TILEWRIGHT_VOCABULARY'] ?? 126_000);

type Load = Awaited<ReturnType<typeof measureLoad>>;

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const say = (what: string, { heap, resident, seconds }: Load, sent: number, requests: number): void =>
  console.log(
    `${what}: heap ${mega(heap)}, renderers ${mega(resident)}, ${seconds.toFixed(1)} s, ${sent} bytes, ${requests} requests`,
  );

it.skipIf(!executablePath || process.platform !== 'linux')(
  'a checkpoint of 129 MB behind a URL takes less than 32 MB of the heap in Chrome, garbage counted, and 64 MB of the renderer, kept or not; kept, it is fetched once',
  async () => {
    await build({ only: ['lib'], log: () => {} });
    const { server, counts, url } = await serveModel(VOCABULARY);
    const { browser, page } = await openPage(executablePath!, url);
    const load = async (what: string, options: object): Promise<number> => {
      const { sent, requests } = counts;
      const result = await measureLoad(page, options);
      say(what, result, counts.sent - sent, counts.requests - requests);
      expect(result.weights).toBeGreaterThan(0.99 * counts.byteLength);
      expect(result.heap).toBeGreaterThan(0);
      expect(result.heap).toBeLessThan(32e6);
      expect(result.resident).toBeGreaterThan(0);
      expect(result.resident).toBeLessThan(64e6);
      return counts.sent - sent;
    };
    try {
      expect(await load('not kept', {})).toBeLessThan(1.01 * counts.byteLength);
      expect(await load('kept', { cache: true })).toBe(counts.byteLength);
      const asked = counts.requests;
      expect(await load('again', { cache: true })).toBe(0);
      expect(counts.requests - asked).toBeLessThanOrEqual(6); // one for each file that is there, and for each that might be
      counts.isDown = true;
      expect(await load('offline', { cache: true })).toBe(0);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  },
  240_000,
);
