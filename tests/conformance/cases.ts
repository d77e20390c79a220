import type { DataType } from '../../src/tensor/types.ts';

/** A case of the W3C's WebNN operator tests, as ../shared/conformance/webnn holds them. */
export interface WebnnCase {
  name: string;
  tolerance: { metricType: 'ULP' | 'ATOL'; value: number | string } | null;
  graph: {
    inputs: Record<string, WebnnTensor>;
    /** A case of theirs has a null among the arguments. */
    operators: { name: string; arguments: (Record<string, unknown> | null)[]; outputs: string | string[] }[];
    expectedOutputs: Record<string, WebnnTensor>;
  };
}

export interface WebnnTensor {
  data: number | string | (number | string)[];
  descriptor: { shape: number[]; dataType: DataType };
  constant?: boolean;
}

/**
 * Cases whose expected numbers are not what WebNN defines. l2Pool2d: those of elements 2, 8, 11 and 17 of 18 are sums of
 * squares, without the root: 8222.29 for √8222.29 = 90.677.
 */
export const WRONG: ReadonlySet<string> = new Set([
  'l2Pool2d float32 4D tensor options.outputSizes ignores options.roundingType=floor',
]);

/** The op that a case is about; some are about how several go together. */
export const opOf = ({ graph: { operators } }: WebnnCase): string =>
  operators.length === 1 ? operators[0]!.name : 'several in a graph';

const number = (value: number | string): number =>
  typeof value === 'string' ? Number(value.replace(/n$/, '')) : value;

export function valuesOf({ data, descriptor }: WebnnTensor): Float64Array {
  const count = descriptor.shape.reduce((a, b) => a * b, 1);
  const list = Array.isArray(data) ? data : [data];
  return list.length === count ? Float64Array.from(list, number) : new Float64Array(count).fill(number(list[0]!));
}

const modules = import.meta.glob<WebnnCase[]>('../../../shared/conformance/webnn/*.json', { import: 'default' });

/** File name to its cases; empty where the folder is missing. */
export async function loadCases(): Promise<Map<string, WebnnCase[]>> {
  const entries = await Promise.all(
    Object.entries(modules).map(
      async ([path, load]): Promise<[string, WebnnCase[]]> => [
        path.split('/').pop()!.replace('.json', ''),
        await load(),
      ],
    ),
  );
  return new Map(entries.sort(([a], [b]) => a.localeCompare(b)));
}
