import type { Offer } from '../shared/model-picker.ts';

/** What comes with the page, and models of the hub that are small, free to fetch and computed here: bytes of their weights as it has them, in bfloat16. */
export const OFFERS: readonly [Offer, ...Offer[]] = [
  { name: 'Shakespeare', source: new URL('../../weights/llama-shakespeare/', document.baseURI).href },
  { name: 'SmolLM2 135M', source: 'HuggingFaceTB/SmolLM2-135M-Instruct', bytes: 269e6 },
  { name: 'SmolLM2 360M', source: 'HuggingFaceTB/SmolLM2-360M-Instruct', bytes: 724e6 },
  { name: 'Qwen2.5 0.5B', source: 'Qwen/Qwen2.5-0.5B-Instruct', bytes: 988e6 },
];
