import { type ChoiceStore, type Found, NOTHING } from '../../src/tune/store.ts';

/** A store of a test's own, so that nothing of another is remembered, and nothing is kept. */
export function storeOf(kept: Partial<Found> = {}): ChoiceStore & { kept: Found } {
  return {
    kept: { ...NOTHING, ...kept },
    load() {
      return Promise.resolve(this.kept);
    },
    save(found) {
      this.kept = { ...found };
      return Promise.resolve();
    },
  };
}
