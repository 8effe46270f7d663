/**
 * How far the other side of a link is behind. Each heartbeat notes the last number; the other side's heartbeat says which
 * it has come to. The oldest note that it has not come to tells since when it is behind. Pure; times in milliseconds.
 */
export class Progress {
  #notes: { readonly last: number; readonly at: number }[] = [];
  #last = 0;

  /** At this time `last` was the number of the last message. */
  sent(last: number, at: number): void {
    if (last > (this.#notes.at(-1)?.last ?? this.#last)) this.#notes.push({ last, at });
  }

  /** All messages up to this one are known of at the other side. */
  confirmed(last: number): void {
    this.#last = last;
    const next = this.#notes.findIndex((note) => note.last > last);
    this.#notes = next === -1 ? [] : this.#notes.slice(next);
  }

  lag(now: number): number {
    const first = this.#notes[0];
    return first === undefined ? 0 : now - first.at;
  }
}
