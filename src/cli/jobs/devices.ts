import { type AdapterCard, adapterName, describeAdapter, requestAdapter } from '../../gpu/adapter.ts';
import type { Job } from './job.ts';

export interface Device extends AdapterCard {
  readonly name: string;
}

/** The adapters of this side, first the one that is used. Errors: `no-webgpu`, `no-adapter`. */
export const devices: Job<Record<never, never>, Device[]> = async () => {
  const found = new Map<string, Device>();
  for (const powerPreference of ['high-performance', 'low-power'] as const) {
    const card = describeAdapter(await requestAdapter({ powerPreference }));
    const name = adapterName(card);
    if (!found.has(name)) found.set(name, { ...card, name });
  }
  return [...found.values()];
};
