/**
 * The edges of the relay over which messages must flow for it to be ready: a door, a partition of the topics, a link to
 * a peer, a backplane.
 */
export interface Edge {
  /** As the answer names it: `door pusu`, `peer relay-2`. */
  readonly name: string;
  /** Without it the relay is not ready. */
  readonly needed: boolean;
  /** Calls `done` once, within a second: with null, or with why nothing gets through, in words for an operator. */
  probe(done: (why: string | null) => void): void;
}

export interface EdgeState {
  readonly edge: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly why: string | null;
  /** Milliseconds that the probe took. */
  readonly took: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly edges: readonly EdgeState[];
}

/** Probes edges for those who ask. */
export class Edges {
  readonly #current: () => readonly Edge[];
  /** Those who wait for the probes that are under way. */
  #waiting: ((readiness: Readiness) => void)[] | null = null;

  /** `current`: the edges that there are at the time of a question. */
  constructor(current: () => readonly Edge[]) {
    this.#current = current;
  }

  /** Probes all edges at once and tells how it went. Those who ask meanwhile get the same answer. */
  probe(now: () => number, done: (readiness: Readiness) => void): void {
    if (this.#waiting !== null) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    const began = now();
    const states = new Map<Edge, EdgeState>();
    const edges = this.#current();
    const finish = () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      const ordered = edges.map((edge) => states.get(edge)).filter((state) => state !== undefined);
      const readiness = { ready: ordered.every(({ ok, needed }) => ok || !needed), edges: ordered };
      for (const tell of waiting) tell(readiness);
    };
    if (edges.length === 0) finish();
    for (const edge of edges) {
      const { name, needed } = edge;
      edge.probe((why) => {
        if (states.has(edge)) return;
        states.set(edge, { edge: name, ok: why === null, needed, why, took: now() - began });
        if (states.size === edges.length) finish();
      });
    }
  }
}
