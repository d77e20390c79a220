import { type AdapterCard, type Availability, Engine } from '../../src/index.ts';
import { byId, facts, make } from './dom.ts';
import { binaryBytes, whole } from './format.ts';

/** Asks for the adapter and names it at the top of the page. */
export async function showAdapter(): Promise<Availability> {
  const availability = await Engine.availability();
  const chip = byId('adapter', HTMLElement);
  const software = availability.available && availability.adapter.software;
  chip.classList.toggle('software', software);
  chip.classList.toggle('none', !availability.available);
  const text = availability.available ? availability.name : 'no WebGPU';
  chip.replaceChildren(make('span', { title: text }, text));
  return availability;
}

/** What to say where there is no WebGPU: why, and what helps. */
export function noWebGpu({ code, reason, hint }: Extract<Availability, { available: false }>): HTMLElement {
  return make(
    'div',
    { class: 'notice', role: 'alert', 'data-code': code },
    make('strong', {}, code === 'no-webgpu' ? 'This page needs WebGPU' : 'WebGPU found no graphics adapter'),
    make('p', {}, hint ?? ''),
    make('p', { class: 'small soft' }, make('code', {}, code), ` · ${reason}`),
  );
}

/** Says that figures are those of a CPU. */
export const softwareNotice = (): HTMLElement =>
  make(
    'div',
    { class: 'notice' },
    make('strong', {}, 'Software adapter'),
    make(
      'p',
      { class: 'small' },
      'WebGPU computes on the CPU here. Everything works, at a fraction of the speed: the figures are those of a CPU. Where the machine has a GPU, hardware acceleration in the settings of the browser brings it in.',
    ),
  );

const IN_BYTES = /Size$/;

/** Everything known of an adapter: name, kind, features, limits. */
export function adapterFacts(card: AdapterCard): HTMLElement {
  const names = Object.entries({
    Vendor: card.vendor,
    Architecture: card.architecture,
    Device: card.device,
    Description: card.description,
  }).filter(([, value]) => value);
  const limits = Object.entries(card.limits).map(([name, value]) => [
    name,
    IN_BYTES.test(name) && !/Workgroup.*SizeX/.test(name) ? binaryBytes(value) : whole(value),
  ]);
  const features = make('ul', { class: 'tags' }, ...card.features.map((feature) => make('li', {}, feature)));
  return make(
    'div',
    { class: 'stack adapter' },
    facts({
      ...(names.length ? Object.fromEntries(names) : { Adapter: 'not told' }),
      Kind: card.software ? 'Software (CPU)' : 'Hardware',
      float16: card.features.includes('shader-f16') ? 'yes' : 'no',
      Subgroups: card.features.includes('subgroups') ? 'yes' : 'no',
      'Largest buffer': binaryBytes(card.limits.maxBufferSize),
    }),
    make('details', {}, make('summary', {}, `All ${card.features.length} features`), features),
    make('details', {}, make('summary', {}, 'All limits'), facts(Object.fromEntries(limits))),
  );
}
