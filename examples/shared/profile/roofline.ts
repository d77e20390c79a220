import type { Profile } from '../../../src/index.ts';
import { number } from '../format.ts';
import { esc } from './html.ts';

/** Units of the picture: narrow, so that its letters can be read on a phone. */
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [380, 290, 46, 10, 12, 36];

/** Powers of ten around values. */
function decades(values: readonly number[]): [from: number, to: number] {
  const logs = values.map(Math.log10);
  const from = Math.floor(Math.min(...logs));
  return [from, Math.max(from + 1, Math.ceil(Math.max(...logs)))];
}

/**
 * A roofline (Williams et al. 2009): operations a byte against operations a second, both axes logarithmic, a point for each
 * dispatch, as large as its share of the time. The roof is drawn where the profile has ceilings.
 */
export function roofline({ rows, ceilings }: Profile): string {
  const points = rows
    .filter(({ flops, bytes, ms }) => flops && bytes && ms)
    .map((row) => ({ row, intensity: row.flops / row.bytes }));
  if (!points.length) return '';
  const ridge = ceilings && ceilings.fmaF32 / ceilings.readGbps;
  const [x0, x1] = decades([...points.map(({ intensity }) => intensity), ...(ridge ? [ridge] : [])]);
  const [y0, y1] = decades([...points.map(({ row }) => row.gflops), ...(ceilings ? [ceilings.fmaF32] : [])]);
  const x = (value: number): number => LEFT + ((Math.log10(value) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => TOP + ((y1 - Math.log10(value)) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const ticks = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  const label = (value: number): string => (value >= 1 ? String(value) : value.toPrecision(1));
  const grid = [
    ...ticks(x0, x1).map(
      (value) =>
        `<line x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x(value)}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${label(value)}</text>`,
    ),
    ...ticks(y0, y1).map(
      (value) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 5}" y="${y(value) + 4}" text-anchor="end">${label(value)}</text>`,
    ),
  ];
  const [left, right] = [10 ** x0, 10 ** x1];
  const roof = ceilings
    ? `<polyline class="roof" points="${[left, Math.min(right, Math.max(left, ridge!)), right]
        .map((at) => `${x(at)},${Math.min(HEIGHT - BOTTOM, y(Math.min(ceilings.fmaF32, at * ceilings.readGbps)))}`)
        .join(' ')}"/>`
    : '';
  const dots = points.map(({ row, intensity }) => {
    const told = `${row.name}: ${number(row.gflops)} GFLOPS at ${number(intensity)} FLOP a byte, ${number(row.ms)} ms`;
    return `<circle class="${row.bound ?? 'unknown'}" cx="${x(intensity)}" cy="${y(row.gflops)}" r="${3 + 9 * Math.sqrt(row.share)}"><title>${esc(told)}</title></circle>`;
  });
  const kinds = ceilings
    ? `<p class="legend small soft">${['compute', 'memory', 'launch'].map((kind) => `<span class="${kind}">${kind}</span>`).join('')}</p>`
    : '';
  return `<svg class="roofline" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Roofline: GFLOPS of ${points.length} dispatches against operations a byte. The table of dispatches has the figures."><g class="grid">${grid.join('')}<text x="${(WIDTH + LEFT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">FLOP a byte</text><text x="12" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 12 ${HEIGHT / 2})">GFLOPS</text></g>${roof}${dots.join('')}</svg>${kinds}`;
}
