import { TilewrightError } from '../errors.ts';
import type { JobContext, JobEvent } from './jobs/job.ts';
import { type JobName, jobs } from './jobs.ts';
import { toWire, type WireError } from './wire.ts';

/** How the command line drives this page. */
export interface Host {
  run(name: JobName, args: unknown): Promise<{ result: unknown } | { error: WireError }>;
  abort(): void;
}

declare global {
  interface Window {
    tilewright: Host;
    /** Put there by the command line. */
    tilewrightEmit(event: JobEvent): Promise<void>;
  }
}

let abort = new AbortController();

/** The next chunk of what the command line lends. */
async function read(name: string): Promise<Uint8Array | undefined> {
  const response = await fetch(`/lent/${name}`, { signal: abort.signal });
  if (response.status === 204) return undefined;
  if (!response.ok) throw new TilewrightError('network', `what is lent as ${name} could not be read`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Gives the command line bytes that it takes. */
async function write(name: string, bytes: Uint8Array): Promise<void> {
  const body = bytes as Uint8Array<ArrayBuffer>;
  const response = await fetch(`/taken/${name}`, { method: 'POST', body, signal: abort.signal });
  if (!response.ok) throw new TilewrightError('network', `what is taken as ${name} could not be written`);
}

window.tilewright = {
  async run(name, args) {
    abort = new AbortController();
    let told: Promise<unknown> = Promise.resolve();
    const emit = (event: JobEvent): void => {
      told = Promise.all([told, window.tilewrightEmit(event)]);
    };
    try {
      const job = jobs[name] as (args: unknown, context: JobContext) => Promise<unknown>;
      return { result: await job(args, { emit, signal: abort.signal, read, write }) };
    } catch (error) {
      return { error: toWire(error) };
    } finally {
      await told; // no event comes after the result
    }
  },
  abort: () => abort.abort(),
};
