import type { Op } from './define.ts';
import { packInt4 } from './int4.ts';
import { integerProducts } from './integer.ts';
import { narrow } from './narrow.ts';
import { linear } from './quantize.ts';

/** What only quantisation needs: it loads with its passes. */
export const quantization: readonly Op[] = [...linear, packInt4, narrow, ...integerProducts];
