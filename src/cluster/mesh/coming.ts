import type { Forwarding } from './inbound-links.ts';

/** Messages that wait for one relay to be linked. Those beyond are lost. */
const MOST = 10_000;

/**
 * Relays that have dialled this one, and that this one has not dialled back yet. They count among those that give topics their
 * order from the first moment on: a relay that comes asks how far this one is, and from then on this one must not go further. What
 * is for them to order waits here until they are linked.
 */
export class Coming {
  readonly #waiting = new Map<string, Forwarding[]>();

  get nodes(): Iterable<string> {
    return this.#waiting.keys();
  }

  get size(): number {
    return this.#waiting.size;
  }

  begin(node: string): void {
    if (!this.#waiting.has(node)) this.#waiting.set(node, []);
  }

  /** A message is for a relay that comes. False: that relay does not, or too many wait for it. */
  hold(node: string, forwarding: Forwarding): boolean {
    const waiting = this.#waiting.get(node);
    if (waiting === undefined || waiting.length >= MOST) return false;
    waiting.push(forwarding);
    return true;
  }

  /** The relay is linked, or does not come. Returns what has waited for it, in order. */
  end(node: string): readonly Forwarding[] {
    const waiting = this.#waiting.get(node) ?? [];
    this.#waiting.delete(node);
    return waiting;
  }

  /** Returns all that has waited. */
  clear(): readonly Forwarding[] {
    const all = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    return all;
  }
}
