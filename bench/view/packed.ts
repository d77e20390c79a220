import { type BenchReport, type BenchRow, figuresOf, type Unsteady } from '../report.ts';

/** What a link of a run may have at most, in characters of its packed part. */
export const LONGEST = 7_800;
/** What a packed run may unpack to, in bytes. */
const LARGEST = 1 << 20;
const VERSION = 1;

/** A run as it stands in a link, and whether its samples came along. */
export interface Packed {
  readonly text: string;
  readonly samples: boolean;
}

/** Names that are written once, and by their index from then on. */
class Names {
  readonly list: string[] = [];
  of(name: string): number {
    const at = this.list.indexOf(name);
    return at < 0 ? this.list.push(name) - 1 : at;
  }
}

const rounded = (value: number, digits: number): number => Number(value.toPrecision(digits));
const permille = (value: number, of: number): number => Math.round((1000 * value) / of);

/** Columns rather than rows: what is alike stands together, which packs better. */
function columnsOf(rows: readonly BenchRow[], names: Names, withSamples: boolean) {
  const works = rows.map(({ work, gflops, gbps, ms }) => ({
    flops: work?.flops ?? gflops * 1e6 * ms.median,
    bytes: work?.bytes ?? gbps * 1e6 * ms.median,
  }));
  return [
    rows.map(({ suite }) => names.of(suite)),
    rows.map(({ name }) => names.of(name)),
    rows.map(({ shape }) => names.of(shape)),
    rows.map(({ dtype }) => names.of(dtype)),
    rows.map(({ engine }) => names.of(engine)),
    rows.map(({ ms }) => rounded(ms.median, 5)),
    rows.map(({ ms }) => permille(ms.p10, ms.median)),
    rows.map(({ ms }) => permille(ms.p90, ms.median)),
    rows.map(({ ms }) => ms.n),
    works.map(({ flops }) => rounded(flops, 5)),
    works.map(({ bytes }) => rounded(bytes, 5)),
    rows.map(({ pctOfRoof }) => (pctOfRoof === null ? -1 : rounded(pctOfRoof, 4))),
    rows.map(({ ratioToTilewright }) => rounded(ratioToTilewright, 4)),
    rows.map(({ rate }) => (rate ? [rounded(rate.value, 4), names.of(rate.unit)] : 0)),
    rows.map(({ unsteady }) => (unsteady ? unsteady.map((why) => names.of(why)) : 0)),
    rows.map(({ at }) => at?.map(Math.round) ?? 0),
    rows.map(({ tries, deviceBytes }) => (tries || deviceBytes ? [tries ?? 0, deviceBytes ?? 0] : 0)),
    withSamples ? rows.map(({ ms }) => ms.samples?.map((sample) => permille(sample, ms.median)) ?? 0) : 0,
  ];
}

function arrayOf(report: BenchReport, withSamples: boolean): unknown[] {
  const names = new Names();
  const { adapter, gpu, preset, score, pulse, date, versions, ceilings, notes } = report;
  const { features, limits, software, ...words } = adapter;
  const columns = columnsOf(report.rows, names, withSamples);
  const figures = Object.fromEntries(Object.entries(ceilings).map(([name, value]) => [name, rounded(value, 5)]));
  const beats = pulse?.map(([at, ms]) => [Math.round(at), rounded(ms, 3)]);
  const rest = { gpu, preset, score, pulse: beats, void: report.void, date, versions, ceilings: figures, notes };
  return [VERSION, names.list, columns, { ...words, software, features, limits }, rest];
}

/**
 * A run as text for the fragment of a link: JSON in columns, deflated, in base64url. Times have five digits, quantiles and samples are
 * thousandths of the median. Samples are left out where they would make it longer than `LONGEST`; where it is longer even then, notes and the pulse too.
 */
export async function pack(report: BenchReport): Promise<Packed> {
  const samples = report.rows.some(({ ms }) => ms.samples);
  const full = samples ? await deflate(JSON.stringify(arrayOf(report, true))) : '';
  if (samples && full.length <= LONGEST) return { text: full, samples };
  const text = await deflate(JSON.stringify(arrayOf(report, false)));
  if (text.length <= LONGEST) return { text, samples: false };
  const { pulse: _, ...less } = report;
  return { text: await deflate(JSON.stringify(arrayOf({ ...less, notes: [] }, false))), samples: false };
}

/** The run of a packed text, as JSON that `readReport` is to check. Error: what is wrong with the text, for people. */
export async function unpack(text: string): Promise<unknown> {
  let list: unknown;
  try {
    list = JSON.parse(await inflate(text));
  } catch (cause) {
    throw new Error('The link is damaged: the run in it cannot be unpacked. Was it copied whole?', { cause });
  }
  if (!Array.isArray(list) || list[0] !== VERSION)
    throw new Error(
      `The link has a run of version ${Array.isArray(list) ? list[0] : '?'}; this page reads version ${VERSION}.`,
    );
  try {
    return reportOf(list);
  } catch (cause) {
    throw new Error('The link is damaged: the run in it is not complete.', { cause });
  }
}

type Column = readonly (number | readonly number[])[];

function reportOf([, names, columns, adapter, rest]: readonly unknown[]): unknown {
  const { ceilings } = rest as BenchReport;
  const list = columns as readonly Column[];
  const count = list[0]!.length;
  const name = (column: number, row: number): string => {
    const found = (names as string[])[list[column]![row] as number];
    if (found === undefined) throw new Error(`column ${column} of row ${row} names nothing`);
    return found;
  };
  const rows = Array.from({ length: count }, (_, i) => {
    const at = (column: number): number => list[column]![i] as number;
    const several = (column: number): readonly number[] | undefined => (list[column]?.[i] || undefined) as never;
    const [median, dtype] = [at(5), name(3, i) as BenchRow['dtype']];
    const work = { flops: at(9), bytes: at(10) };
    const { gflops, gbps } = figuresOf(work, median, dtype, ceilings);
    const [rate, why, samples] = [several(13), several(14), several(17)];
    const [span, [tries, deviceBytes] = []] = [several(15), several(16)];
    const ms = (thousandths: number): number => rounded((thousandths * median) / 1000, 6);
    return {
      suite: name(0, i),
      name: name(1, i),
      shape: name(2, i),
      dtype,
      engine: name(4, i),
      ms: { median, p10: ms(at(6)), p90: ms(at(7)), n: at(8), ...(samples && { samples: samples.map(ms) }) },
      gflops,
      gbps,
      pctOfRoof: at(11) < 0 ? null : at(11),
      ratioToTilewright: at(12),
      work,
      ...(rate && { rate: { value: rate[0], unit: (names as string[])[rate[1]!] } }),
      ...(why && { unsteady: why.map((index) => (names as Unsteady[])[index]) }),
      ...(span && { at: span }),
      ...(tries && { tries }),
      ...(deviceBytes && { deviceBytes }),
    };
  });
  return { format: 2, adapter, ...(rest as object), rows };
}

async function deflate(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Stops where more comes out than a run can have. */
async function inflate(text: string): Promise<string> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    size += value.length;
    if (size > LARGEST) {
      await reader.cancel();
      throw new Error('more than a megabyte');
    }
    parts.push(value);
  }
}
