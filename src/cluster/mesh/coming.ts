import { costOf } from '../../topic/message.ts';
import type { Forwarding } from './inbound-links.ts';

/** What may wait for one relay to be linked, in bytes as `costOf` counts them. What is beyond is lost, and its publishers hear of that. */
const MOST = 16 * 1024 * 1024;

/**
 * dialled: it has dialled this relay, which has not dialled back yet. lost: its link has broken a moment ago. left: it has said goodbye, and
 * its link has yet to come to what was sent there before.
 */
type Reason = 'dialled' | 'lost' | 'left';

interface Waiting {
  readonly reasons: Set<Reason>;
  /** What was sent to the relay's link before the link was lost. */
  readonly first: Forwarding[];
  readonly list: Forwarding[];
  cost: number;
}

/**
 * Relays that are not linked, and are about to be. They count among those that give topics their order. One that has dialled this
 * relay asks how far this one is, and from then on this one must not go further. One whose link has broken may be back in a
 * moment, and has gone on: an order made here meanwhile would be a second one. What is for them to order waits here until they are
 * linked, or do not come.
 */
export class Coming {
  readonly #waiting = new Map<string, Waiting>();

  get nodes(): Iterable<string> {
    return this.#waiting.keys();
  }

  get size(): number {
    return this.#waiting.size;
  }

  begin(node: string, reason: Reason): void {
    const waiting = this.#waiting.get(node);
    if (waiting === undefined)
      this.#waiting.set(node, { reasons: new Set([reason]), first: [], list: [], cost: 0 });
    else waiting.reasons.add(reason);
  }

  /** A message is for a relay that comes. False: that relay does not, or too many wait for it. */
  hold(node: string, forwarding: Forwarding): boolean {
    const waiting = this.#waiting.get(node);
    if (waiting === undefined || !hasRoom(waiting, forwarding)) return false;
    waiting.list.push(forwarding);
    return true;
  }

  /** The same, of a message that was on its way before the relay was waited for. */
  holdFirst(node: string, forwarding: Forwarding): boolean {
    const waiting = this.#waiting.get(node);
    if (waiting === undefined || !hasRoom(waiting, forwarding)) return false;
    waiting.first.push(forwarding);
    return true;
  }

  /** That is no reason to wait for the relay any more. Returns what has waited, in order, if there is no other reason. */
  end(node: string, reason: Reason): readonly Forwarding[] {
    const waiting = this.#waiting.get(node);
    if (waiting === undefined || !waiting.reasons.delete(reason) || waiting.reasons.size > 0) return [];
    return this.linked(node);
  }

  /** The relay is linked. Returns what has waited for it, in order. */
  linked(node: string): readonly Forwarding[] {
    const waiting = this.#waiting.get(node);
    this.#waiting.delete(node);
    return waiting === undefined ? [] : [...waiting.first, ...waiting.list];
  }

  /** Returns all that has waited. */
  clear(): readonly Forwarding[] {
    const all = [...this.#waiting.values()].flatMap(({ first, list }) => [...first, ...list]);
    this.#waiting.clear();
    return all;
  }
}

/** Whether a message may wait beside the others; it is counted then. */
function hasRoom(waiting: Waiting, { forwarded }: Forwarding): boolean {
  const cost = costOf(forwarded.message.payload.length);
  if (waiting.cost + cost > MOST) return false;
  waiting.cost += cost;
  return true;
}
