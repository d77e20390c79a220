import type { Offer } from '../shared/model-picker.ts';

/** Models for conversations that are small, free to fetch and computed here. Bytes of their weights as the hub has them, in bfloat16. */
export const OFFERS: readonly [Offer, ...Offer[]] = [
  { name: 'SmolLM2 135M', source: 'HuggingFaceTB/SmolLM2-135M-Instruct', bytes: 269e6 },
  { name: 'SmolLM2 360M', source: 'HuggingFaceTB/SmolLM2-360M-Instruct', bytes: 724e6 },
  { name: 'Qwen2.5 0.5B', source: 'Qwen/Qwen2.5-0.5B-Instruct', bytes: 988e6 },
  { name: 'Qwen2.5 1.5B', source: 'Qwen/Qwen2.5-1.5B-Instruct', bytes: 3.09e9 },
];
