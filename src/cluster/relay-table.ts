import type { Vitals } from '../measure/vitals.ts';

/** What another relay has told of itself last. Times in milliseconds. */
export interface Heard {
  /** Null: it has said goodbye before it told anything. */
  readonly vitals: Vitals | null;
  readonly at: number;
  /** It has said goodbye. */
  readonly hasLeft: boolean;
}

/** Relays that are remembered: nobody fills the memory with names. */
const MOST = 256;

/**
 * The other relays' numbers as they have told them, by name: read by anybody, written by the vitals server, which it
 * outlives, for as long as there are links. Pure; time is an argument.
 */
export class RelayTable {
  /** The one that was heard longest ago comes first. */
  readonly #heard = new Map<string, Heard>();

  get nodes(): Iterable<string> {
    return this.#heard.keys();
  }

  of(node: string): Heard | undefined {
    return this.#heard.get(node);
  }

  heard(node: string, vitals: Vitals, now: number): void {
    this.#note(node, { vitals, at: now, hasLeft: false });
  }

  /** The relay has said goodbye. */
  left(node: string, now: number): void {
    this.#note(node, { vitals: this.of(node)?.vitals ?? null, at: now, hasLeft: true });
  }

  clear(): void {
    this.#heard.clear();
  }

  #note(node: string, heard: Heard): void {
    this.#heard.delete(node);
    this.#heard.set(node, heard);
    if (this.#heard.size <= MOST) return;
    for (const oldest of this.#heard.keys()) {
      this.#heard.delete(oldest);
      return;
    }
  }
}
