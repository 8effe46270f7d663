/**
 * The edges of the relay over which messages must flow for it to be ready: a door, a partition of the topics, a link, a
 * backplane. Whoever has one adds it, with a probe that proves it.
 */
export interface Edge {
  /** As the answer names it: `door pusu`, `peer relay-2`. */
  readonly name: string;
  /** Calls `done` once, within a second: with null, or with why nothing gets through, in words for an operator. */
  probe(done: (why: string | null) => void): void;
}

export interface EdgeState {
  readonly edge: string;
  readonly ok: boolean;
  readonly why: string | null;
  /** Milliseconds that the probe took. */
  readonly took: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly edges: readonly EdgeState[];
}

export class Edges {
  readonly #edges = new Map<string, Edge>();
  /** Those who wait for the probes that are under way. */
  #waiting: ((readiness: Readiness) => void)[] | null = null;

  add(edge: Edge): void {
    this.#edges.set(edge.name, edge);
  }

  remove(name: string): void {
    this.#edges.delete(name);
  }

  get names(): string[] {
    return [...this.#edges.keys()];
  }

  /** Probes all edges at once and tells how it went. Those who ask meanwhile get the same answer. */
  probe(now: () => number, done: (readiness: Readiness) => void): void {
    if (this.#waiting !== null) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    const began = now();
    const states = new Map<string, EdgeState>();
    const edges = [...this.#edges.values()];
    const finish = () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      const ordered = edges.map(({ name }) => states.get(name)).filter((state) => state !== undefined);
      const readiness = { ready: ordered.every(({ ok }) => ok), edges: ordered };
      for (const tell of waiting) tell(readiness);
    };
    if (edges.length === 0) finish();
    for (const { name, probe } of edges) {
      probe((why) => {
        if (states.has(name)) return;
        states.set(name, { edge: name, ok: why === null, why, took: now() - began });
        if (states.size === edges.length) finish();
      });
    }
  }
}
