/**
 * The indices of `values`, largest value first and lowest index first among equals. A binary heap: O(n) to start and
 * O(log n) for each index taken, so the few best of many come without sorting them all. No value may be NaN.
 */
export function* byRank(values: Float32Array): Generator<number, void> {
  const heap = new Int32Array(values.length).map((_, i) => i);
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, heap.length, i, values);
  for (let size = heap.length; size > 0; ) {
    yield heap[0]!;
    heap[0] = heap[--size]!;
    sink(heap, size, 0, values);
  }
}

/** Moves the index at `at` down until none of its children comes before it. */
function sink(heap: Int32Array, size: number, at: number, values: Float32Array): void {
  const moved = heap[at]!;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!, values)) child++;
    if (!isBefore(heap[child]!, moved, values)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = moved;
}

function isBefore(i: number, j: number, values: Float32Array): boolean {
  const x = values[i]!;
  const y = values[j]!;
  return x > y || (x === y && i < j);
}
