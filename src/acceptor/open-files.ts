import type { Socket } from 'node:net';

/** Descriptors that no client gets, a fifth at the most: the relay goes on to be asked, to read its files and to reach its back ends. */
const RESERVE = 32;
/** Milliseconds between two lines about one shortage. */
const SAY_EVERY = 60_000;

/**
 * The process's limit on open files. Beyond it the system's answer to a client is a reset that no program hears of, so
 * connections are closed a little before it, where that can be counted.
 */
export class OpenFiles {
  /** Infinity: not known, or none. */
  readonly limit: number;
  #closed = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Connections that there may be at the most. */
  get most(): number {
    return this.limit - Math.min(RESERVE, Math.ceil(this.limit / 5));
  }

  /** Whether a connection has one of the last descriptors: the system hands out the lowest that is free. */
  areShort(socket: Socket): boolean {
    const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
    return (handle?.fd ?? 0) >= this.most;
  }

  /** A connection was closed for it. Returns how many since it was said last, when it is time to say it again. */
  closed(time: number): number | undefined {
    this.#closed++;
    if (time - this.#saidAt < SAY_EVERY) return undefined;
    const count = this.#closed;
    this.#closed = 0;
    this.#saidAt = time;
    return count;
  }
}
