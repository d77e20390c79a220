/** What an adapter can do at most, as `tilewright bench` and the page Bench measure it. */
export interface Ceilings {
  /** Multiply-adds of float32, 10^9 floating-point operations a second. */
  readonly fmaF32: number;
  /** The same of float16; absent without shader-f16. */
  readonly fmaF16?: number;
  /** Dot products of packed 8-bit integers, 10^9 operations a second. */
  readonly dotInt8?: number;
  /** Bytes read from a buffer that no cache holds, 10^9 a second. */
  readonly readGbps: number;
  /** Microseconds of an empty dispatch among others. */
  readonly dispatchUs: number;
}

/** What a dispatch waits for: its own launch, memory, or arithmetic. */
export type Bound = 'launch' | 'memory' | 'compute';

/** What a dispatch does, and how long that takes. */
export interface Timed {
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
  /** Of what it computes. */
  readonly dataType: string;
}

/**
 * How near a dispatch is to the lower of its roofs, in per cent, and what bounds it: the longest of computing all, moving
 * all and launching (Williams et al. 2009). Caches can lift it over 100 %.
 */
export function roofOf(
  { ms, flops, bytes, dataType }: Timed,
  { fmaF32, fmaF16 = fmaF32, dotInt8 = fmaF32, readGbps, dispatchUs }: Ceilings,
): { pctOfRoof: number; bound: Bound } {
  const arithmetic = dataType === 'float16' ? fmaF16 : dataType === 'int8' ? dotInt8 : fmaF32;
  const [compute, memory, launch] = [flops / 1e6 / arithmetic, bytes / 1e6 / readGbps, dispatchUs / 1e3];
  const needed = Math.max(compute, memory);
  const bound = launch >= needed ? 'launch' : compute >= memory ? 'compute' : 'memory';
  return { pctOfRoof: ms > 0 ? (100 * needed) / ms : 0, bound };
}
