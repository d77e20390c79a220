import { readReport } from '../read-report.ts';
import type { BenchReport } from '../report.ts';

/** Where the files of `bench/results` lie beside the pages: known at build, fetched when asked for. */
const FILES = import.meta.glob<string>('../results/*.json', { query: '?url', import: 'default', eager: true });

const ADDRESSES = new Map(
  Object.entries(FILES).map(([path, address]) => [path.replace(/.*\/|\.json$/g, ''), address] as const),
);

/** The names of the reports in the repository, the newest first. */
export const repositoryNames = (): string[] => [...ADDRESSES.keys()].sort().reverse();

/** A report of the repository by its name. Errors: of a name that there is not, of the network, of `readReport`. */
export async function repositoryReport(name: string): Promise<BenchReport> {
  const address = ADDRESSES.get(name);
  if (!address)
    throw new Error(`The repository has no result named ${name}. There are ${repositoryNames().join(', ')}.`);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The result ${name} could not be fetched: ${response.status}.`);
  return readReport(await response.json());
}
