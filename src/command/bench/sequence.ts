/** Numbers from `from` to `to`, both included. */
interface Hole {
  from: number;
  to: number;
}

/** What has come of it. */
type Verdict = 'new' | 'late' | 'double';

/**
 * What one subscriber has got of one sender, whose messages are numbered from 0. A number that comes when it was passed
 * over is late; one that has come already is a double; what never comes is lost.
 */
export class Sequence {
  #next = 0;
  /** Numbers that were passed over, in their order. */
  readonly #holes: Hole[] = [];
  received = 0;
  doubles = 0;
  late = 0;

  take(number: number): Verdict {
    if (number >= this.#next) {
      if (number > this.#next) this.#holes.push({ from: this.#next, to: number - 1 });
      this.#next = number + 1;
      this.received++;
      return 'new';
    }
    const at = this.#holes.findIndex(({ from, to }) => from <= number && number <= to);
    if (at === -1) {
      this.doubles++;
      return 'double';
    }
    this.#fill(at, number);
    this.received++;
    this.late++;
    return 'late';
  }

  /** How many of the first `sent` numbers have not come. */
  lost(sent: number): number {
    const holes = this.#holes.reduce(
      (sum, { from, to }) => sum + Math.max(0, Math.min(to, sent - 1) - from + 1),
      0,
    );
    return holes + Math.max(0, sent - this.#next);
  }

  #fill(at: number, number: number): void {
    const { from, to } = this.#holes[at] as Hole;
    const rest = [
      { from, to: number - 1 },
      { from: number + 1, to },
    ].filter((hole) => hole.from <= hole.to);
    this.#holes.splice(at, 1, ...rest);
  }
}
