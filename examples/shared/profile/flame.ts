import type { LayerTotal, Profile } from '../../../src/index.ts';
import { milliseconds, percent } from '../format.ts';
import { esc } from './html.ts';

/** A bar of the chart: where it begins and how long it is, of the whole. */
interface Bar {
  readonly layer: LayerTotal;
  readonly from: number;
  readonly depth: number;
}

function barsOf(layers: readonly LayerTotal[], from = 0, depth = 0): Bar[] {
  let at = from;
  return layers.flatMap((layer) => {
    const own = { layer, from: at, depth };
    at += layer.share;
    return [own, ...barsOf(layer.children, own.from, depth + 1)];
  });
}

/**
 * Time by the tree of layers, the widest what takes the most. A press widens a layer to the whole; arrow keys go from layer
 * to layer (interact.ts).
 */
export function flameChart({ layers, sumMs }: Profile): string {
  const bars = barsOf([{ name: 'all', children: layers, rows: [], ms: sumMs, macs: 0, flops: 0, bytes: 0, share: 1 }]);
  const depth = Math.max(...bars.map((bar) => bar.depth)) + 1;
  const buttons = bars.map(({ layer, from, depth: at }, i) => {
    const told = `${layer.name}: ${milliseconds(layer.ms)}, ${percent(layer.share)}`;
    return `<button type="button" ${i ? 'tabindex="-1" ' : ''}data-from="${from}" data-share="${layer.share}" data-depth="${at}" style="--from: ${from}; --share: ${layer.share}; --depth: ${at}" title="${esc(told)}"><span>${esc(layer.name)}</span><span class="for-readers">${esc(`, ${milliseconds(layer.ms)}, ${percent(layer.share)}`)}</span></button>`;
  });
  return `<div class="flame" style="--levels: ${depth}" role="group" aria-label="Time by layers">${buttons.join('')}</div><p class="small soft numbers flame-told" role="status">Press a layer to widen it, Escape to go back.</p>`;
}
