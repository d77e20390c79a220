/** Another rate for samples as they come: each that goes on is the mean of the `ratio` that it lasts for, parts included. */
export class Averager {
  #sum = 0;
  #missing: number;

  /** `ratio`: the rate of what comes, over the rate of what goes on. */
  constructor(private readonly ratio: number) {
    this.#missing = ratio;
  }

  add(sample: number, goesOn: (sample: number) => void): void {
    const HAIR = 1e-6; // what a sum of fractions may be off by
    let left = 1;
    while (left > HAIR) {
      const part = Math.min(left, this.#missing);
      this.#sum += part * sample;
      this.#missing -= part;
      left -= part;
      if (this.#missing > HAIR) continue;
      goesOn(this.#sum / this.ratio);
      this.#sum = 0;
      this.#missing += this.ratio;
    }
  }
}
