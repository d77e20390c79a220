import { isHubName } from '../hub/folder.ts';
import type { NetworkOptions } from '../hub/policy.ts';

/**
 * How a model is fetched: one that is named `org/model` with the token and from the hub that the environment names, as Hugging
 * Face's own tools do (`HF_TOKEN`, `HF_ENDPOINT`), and into the cache. A token goes to no other address.
 */
export function hubOptions(source: string): { network?: NetworkOptions; cache?: boolean } {
  if (!isHubName(source)) return {};
  const { HF_TOKEN: token, HF_ENDPOINT: base } = globalThis.process?.env ?? {};
  return { cache: true, network: { ...(token && { token }), ...(base && { base }) } };
}
