import type { Delivery } from '../topic/message.ts';

/**
 * What waits for one client's socket. Deliveries queue here while an earlier write is under way, and go out together
 * when it is done. The queue holds references: the bytes are shared by all members.
 *
 * The first one has a field of its own: at rest a client has one delivery at a time, and that costs no array.
 */
export class Outbox {
  #first: Delivery | undefined = undefined;
  #rest: Delivery[] | undefined = undefined;
  #bytes = 0;

  /** Bytes that wait here. */
  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  push(delivery: Delivery): void {
    this.#bytes += delivery.bytes.length;
    if (this.#first === undefined) this.#first = delivery;
    else if (this.#rest === undefined) this.#rest = [delivery];
    else this.#rest.push(delivery);
  }

  /** Takes out what goes into one write: at least one delivery, and no more than `limit` bytes beyond it. */
  take(limit: number): Delivery | Delivery[] | undefined {
    const first = this.#first;
    const rest = this.#rest;
    if (first === undefined) return undefined;
    if (rest === undefined) {
      this.#first = undefined;
      this.#bytes = 0;
      return first;
    }
    const taken = [first];
    let size = first.bytes.length;
    let count = 0;
    while (count < rest.length) {
      const next = rest[count] as Delivery;
      if (size + next.bytes.length > limit) break;
      taken.push(next);
      size += next.bytes.length;
      count++;
    }
    this.#bytes -= size;
    this.#first = rest[count];
    const left = rest.slice(count + 1);
    this.#rest = left.length === 0 ? undefined : left;
    return taken;
  }

  /** Empties the queue. Returns how many messages were in it. */
  clear(): number {
    let count = this.#first?.count ?? 0;
    for (const delivery of this.#rest ?? []) count += delivery.count;
    this.#first = undefined;
    this.#rest = undefined;
    this.#bytes = 0;
    return count;
  }
}
