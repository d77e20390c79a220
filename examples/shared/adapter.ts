import {
  type AdapterCard,
  type Availability,
  availabilityOf,
  type LimitName,
  requestAdapter,
} from '../../src/gpu/adapter.ts';
import { byId, facts, make } from './dom.ts';
import { binaryBytes, number, whole } from './format.ts';

/** Asks for the adapter and names it at the top of the page. The engine does not load for it. */
export async function showAdapter(): Promise<Availability> {
  const availability = await availabilityOf(requestAdapter);
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

/** What every adapter has at least: the limits of WebGPU without asking for more. */
const DEFAULTS: Readonly<Record<LimitName, number>> = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

const IN_BYTES = /(Buffer|Binding|Storage)Size$/;

/** A limit in words: its value, and how it stands to WebGPU's default. */
function limitText(name: string, value: number): string {
  const text = IN_BYTES.test(name) ? binaryBytes(value) : whole(value);
  const least = DEFAULTS[name as LimitName];
  if (least === undefined) return text;
  return value === least
    ? `${text}, the default`
    : `${text}, ${number(value / least).replace(/\.0+$/, '')}× the default`;
}

/** What is known of an adapter, by name: what tells it from others, then its limits. */
function factsOf(card: AdapterCard) {
  const names = Object.entries({
    Vendor: card.vendor,
    Architecture: card.architecture,
    Device: card.device,
    Description: card.description,
  }).filter(([, value]) => value);
  const first: Record<string, string> = {
    ...(names.length ? Object.fromEntries(names) : { Adapter: 'not told' }),
    Kind: card.software ? 'Software (CPU)' : 'Hardware',
    float16: card.features.includes('shader-f16') ? 'yes' : 'no',
    Subgroups: card.features.includes('subgroups') ? 'yes' : 'no',
    'Largest buffer': binaryBytes(card.limits.maxBufferSize),
  };
  const limits = Object.entries(card.limits).map(([name, value]) => [name, limitText(name, value)]);
  return { first, limits: Object.fromEntries(limits) as Record<string, string> };
}

/** Everything known of an adapter as text, a line a fact. */
export function adapterText(card: AdapterCard, more: Readonly<Record<string, string>> = {}): string {
  const { first, limits } = factsOf(card);
  const lines = Object.entries({ ...more, ...first, Features: card.features.join(', '), ...limits });
  return `${lines.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`;
}

/** Everything known of an adapter: name, kind, features, limits beside WebGPU's defaults; `more` goes first. */
export function adapterFacts(card: AdapterCard, more: Readonly<Record<string, string>> = {}): HTMLElement {
  const { first, limits } = factsOf(card);
  const features = make('ul', { class: 'tags' }, ...card.features.map((feature) => make('li', {}, feature)));
  return make(
    'div',
    { class: 'stack adapter' },
    facts({ ...more, ...first }),
    make('details', {}, make('summary', {}, `All ${card.features.length} features`), features),
    make('details', {}, make('summary', {}, 'All limits'), facts(limits)),
  );
}
