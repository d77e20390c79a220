import type { ModelSummary, Profile } from '../../../src/index.ts';
import { count, milliseconds, number, percent, whole } from '../format.ts';
import { flameChart } from './flame.ts';
import { esc, factList } from './html.ts';
import { roofline } from './roofline.ts';
import { summaryHtml } from './summary.ts';
import { kindsTable, rowsTable } from './table.ts';

const section = (title: string, body: string): string =>
  body && `<section class="card results"><h2>${esc(title)}</h2>${body}</section>`;

function overview(profile: Profile): string {
  const { adapter, plan, runMs, run, attributed, unattributedMs, host, rounds, quantum, totals, ceilings } = profile;
  const isUnsteady = run.p90 > 1.3 * run.p10;
  const facts = factList({
    Adapter: adapter,
    Plan: plan,
    'Whole run': `${milliseconds(runMs)} (p10–p90 ${number(run.p10)}–${number(run.p90)})`,
    ...(profile.timestamps && {
      'In named layers': percent(attributed),
      'Not attributed': milliseconds(unattributedMs),
    }),
    'Encoding, on the CPU': milliseconds(host.encode.ms),
    'Reading the outputs back': milliseconds(host.readBack.ms),
    'Asked for': `${count(totals.macs)} MAC, ${number(totals.flops / 1e9)} GFLOP`,
    Measured: `medians of ${whole(rounds)} rounds${quantum ? `, timestamps rounded to ${quantum / 1000} µs` : ''}`,
    ...(ceilings && {
      'Roofs, measured': `${number(ceilings.fmaF32)} GFLOPS, ${number(ceilings.readGbps)} GB/s, ${number(ceilings.dispatchUs)} µs a dispatch`,
    }),
  });
  const unsteady = isUnsteady
    ? '<div class="notice"><strong>Unsteady</strong><p class="small">Whole runs differ by more than 30 %: the machine had other work, or its clocks changed.</p></div>'
    : '';
  const none = profile.timestamps
    ? ''
    : '<div class="notice"><strong>No times of single layers</strong><p class="small">This browser gives no timestamps of the GPU (timestamp-query): whole runs were timed.</p></div>';
  return unsteady + none + facts;
}

/** All views of a profile, and of a summary where there is one, as HTML. `enhance` of interact.ts makes them answer. */
export function views(profile: Profile | undefined, summary?: ModelSummary): string {
  const timed = profile?.timestamps ? profile : undefined;
  return [
    profile ? section('Profile', overview(profile)) : '',
    timed ? section('Time by layer', flameChart(timed)) : '',
    timed ? section('Dispatches', rowsTable(timed)) : '',
    timed ? section('Roofline', roofline(timed)) : '',
    timed ? section('By op', kindsTable(timed)) : '',
    summary ? section('Model', summaryHtml(summary)) : '',
  ].join('');
}
