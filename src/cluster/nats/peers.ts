/** Another relay, as the name and the start that its messages carry. */
export interface Heard {
  readonly node: string;
  readonly incarnation: string;
}

interface Peer extends Heard {
  readonly heardAt: number;
}

/** Claims whose answers are gathered. One that is forgotten here is granted a little later, by the time limit. */
const MOST_ASKED = 10_000;

/**
 * The other relays that are heard of, and which of them have not answered a claim yet. Pure; time is an argument, in
 * milliseconds.
 */
export class Peers {
  readonly #peers = new Map<string, Peer>();
  readonly #asked = new Map<number, Set<string>>();

  get nodes(): string[] {
    return [...this.#peers.keys()];
  }

  /** True: it is new, or has started anew. */
  heard({ node, incarnation }: Heard, time: number): boolean {
    const before = this.#peers.get(node);
    this.#peers.set(node, { node, incarnation, heardAt: time });
    return before?.incarnation !== incarnation;
  }

  /** Takes out and returns those that were not heard for so long. */
  silent(time: number, timeout: number): string[] {
    const gone: string[] = [];
    for (const { node, heardAt } of this.#peers.values()) if (time - heardAt >= timeout) gone.push(node);
    for (const node of gone) this.#peers.delete(node);
    return gone;
  }

  /** A claim is asked of all that are known now. */
  ask(ref: number): void {
    // Of a claim that somebody left unanswered, nobody waits for the answer any more.
    for (const old of this.#asked.keys()) {
      if (this.#asked.size < MOST_ASKED) break;
      this.#asked.delete(old);
    }
    this.#asked.set(ref, new Set(this.#peers.keys()));
  }

  /** What a relay says of a claim, of whomever it was asked. The verdict of all when this makes it certain, else null. */
  answered(ref: number, node: string, granted: boolean): boolean | null {
    const unanswered = this.#asked.get(ref);
    unanswered?.delete(node);
    if (granted && unanswered?.size !== 0) return null;
    this.#asked.delete(ref);
    return granted;
  }

  /** Takes out and returns all. */
  clear(): string[] {
    const { nodes } = this;
    this.#peers.clear();
    this.#asked.clear();
    return nodes;
  }
}
