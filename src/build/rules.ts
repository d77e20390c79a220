import { fn, integer, list, object, oneOf, type Rules, text } from '../options.ts';
import { type BuildOptions, SHARED_RULES, WEIGHT_TYPES } from './build.ts';

/** What the options of `engine.build` may be. */
export const BUILD_RULES: Rules<BuildOptions> = {
  ...SHARED_RULES,
  weights: WEIGHT_TYPES,
  without: list(oneOf('fold', 'fuse', 'winograd')),
  winograd: fn,
  stores: object,
  tuner: object,
  choose: fn,
  runsAhead: integer(1),
  label: text,
};
