import { TilewrightError } from '../src/errors.ts';
import { refuse } from '../src/options.ts';
import schema from './report.schema.json';
import type { BenchReport } from './report.ts';
import { faultOf, type Schema } from './schema.ts';

/**
 * A report from what a file, a link or a paste has in it, parsed or as text. One of version 1 is read as it is: what it
 * lacks is optional. Errors: `invalid-file`, which names what is wrong and where (`rows[3].ms.median`).
 */
export function readReport(json: unknown): BenchReport {
  const value = typeof json === 'string' ? parse(json) : json;
  const fault = faultOf(value, schema as Schema);
  if (fault) refuse('invalid-file', 'the report', fault.at || 'its root', fault.expected, fault.got);
  const report = value as BenchReport;
  for (const [index, { ms }] of report.rows.entries()) {
    if (!(ms.p10 <= ms.median && ms.median <= ms.p90))
      refuse('invalid-file', 'the report', `rows[${index}].ms`, 'p10 <= median <= p90', [ms.p10, ms.median, ms.p90]);
  }
  return report;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TilewrightError('invalid-file', `the report is no JSON: ${(cause as Error).message}`, { cause });
  }
}
