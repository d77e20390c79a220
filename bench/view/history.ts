import type { BenchReport } from '../report.ts';

const KEY = 'tilewright.bench.runs';
const NAME = 'tilewright.bench.gpu';
/** Runs that are kept; the oldest goes first. */
export const KEPT = 12;

/** The runs that were kept in this browser, the newest first, as they were: `readReport` is to check them. */
export function keptRuns(): unknown[] {
  try {
    const runs: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(runs) ? runs : [];
  } catch {
    return []; // storage is forbidden here, or something else wrote there
  }
}

/** Keeps a run, at the cost of the oldest where there is no room. False where none can be kept here. */
export function keepRun(report: BenchReport): boolean {
  const others = keptRuns().filter((run) => dateOf(run) !== report.date);
  for (let runs = [report, ...others].slice(0, KEPT); runs.length; runs = runs.slice(0, -1))
    if (store(runs)) return true;
  return false;
}

/** Forgets the run that began then. */
export function forgetRun(date: string): void {
  store(keptRuns().filter((run) => dateOf(run) !== date));
}

/** What the person called their GPU the last time. */
export function keptName(): string {
  try {
    return localStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** Keeps the name, where anything can be kept. */
export function keepName(name: string): void {
  try {
    if (name) localStorage.setItem(NAME, name);
    else localStorage.removeItem(NAME);
  } catch {
    // the name lasts as long as the page
  }
}

const dateOf = (run: unknown): unknown => (run as { date?: unknown } | null)?.date;

function store(runs: readonly unknown[]): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify(runs));
    return true;
  } catch {
    return false;
  }
}
