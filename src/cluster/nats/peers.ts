/** Another relay, as the name and the start that its messages carry. */
export interface Heard {
  readonly node: string;
  readonly incarnation: string;
}

interface Peer extends Heard {
  readonly heardAt: number;
}

/** What has come of a claim: nobody has refused, and these have granted it; or somebody has refused. */
export interface Verdict {
  readonly granted: boolean;
  readonly nodes: readonly string[];
}

interface Asked {
  readonly unanswered: Set<string>;
  readonly granted: string[];
  readonly settled: boolean;
}

/**
 * The other relays that are heard of, and which of them have not answered a claim yet. Pure; time is an argument, in
 * milliseconds.
 */
export class Peers {
  readonly #peers = new Map<string, Peer>();
  readonly #asked = new Map<number, Asked>();

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

  /** A claim is asked of all that are known now; not `settled`: and of others that are not known yet. */
  ask(ref: number, settled: boolean): void {
    this.#asked.set(ref, { unanswered: new Set(this.#peers.keys()), granted: [], settled });
  }

  /** What a relay says of a claim, of whomever it was asked. The verdict when this makes it certain, else null. */
  answered(ref: number, node: string, granted: boolean): Verdict | null {
    if (!granted) {
      this.#asked.delete(ref);
      return { granted: false, nodes: [] };
    }
    const asked = this.#asked.get(ref);
    if (asked === undefined) return null;
    asked.unanswered.delete(node);
    asked.granted.push(node);
    return this.decided(ref);
  }

  /** The verdict, if all have answered. */
  decided(ref: number): Verdict | null {
    const asked = this.#asked.get(ref);
    return asked?.settled === true && asked.unanswered.size === 0 ? this.end(ref) : null;
  }

  /** There is no more time for answers. Null: there was a verdict already. */
  end(ref: number): Verdict | null {
    const asked = this.#asked.get(ref);
    this.#asked.delete(ref);
    return asked === undefined ? null : { granted: true, nodes: asked.granted };
  }

  /** Takes out and returns all. */
  clear(): string[] {
    const { nodes } = this;
    this.#peers.clear();
    this.#asked.clear();
    return nodes;
  }
}
