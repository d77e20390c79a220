/** How many classes stand before the label's, and the first of all. Of equal logits the lower index stands first. */
export function rankOf(logits: Float32Array, label: number): { rank: number; best: number } {
  const own = logits[label]!;
  let [rank, best] = [0, 0];
  for (let i = 0; i < logits.length; i++) {
    const before = logits[i] === own ? i < label : !(logits[i]! < own); // NaN stands before, and is never right
    if (before && i !== label) rank++;
    if (logits[i]! > logits[best]!) best = i;
  }
  return { rank, best };
}
