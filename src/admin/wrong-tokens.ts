import type { Clock } from '../otp/clock.ts';
import type { Audit } from '../view/audit.ts';

/** Milliseconds in which refusals of one address are one line. */
const PERIOD = 60_000;
/** Addresses that have a line of their own in that time: the audit log grows slowly, however many try. */
const MOST = 100;
const OTHERS = 'other addresses';

interface Refused {
  /** Where the request has come from; it has no part that a client can choose. */
  readonly address: string;
  /** The same, and what the client says of itself. */
  readonly who: string;
  /** Null: it has shown none. */
  readonly token: 'wrong' | null;
}

/** Requests that the admin port refuses for their token. The first of an address is in the audit log at once, the others of that minute as a number. */
export class WrongTokens {
  readonly #clock: Clock;
  readonly #audit: Audit;
  #count = 0;
  /** By address and fault: how many have come since the line of the first. */
  readonly #since = new Map<string, number>();

  constructor(clock: Clock, audit: Audit) {
    this.#clock = clock;
    this.#audit = audit;
  }

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  refused({ address, who, token }: Refused): void {
    this.#count++;
    const what = token === null ? 'an action without a token' : 'a wrong token';
    const own = `${address} ${what}`;
    const isOwn = this.#since.has(own) || this.#since.size < MOST;
    const key = isOwn ? own : `${OTHERS} ${what}`;
    const known = this.#since.get(key);
    if (known !== undefined) {
      this.#since.set(key, known + 1);
      return;
    }
    this.#since.set(key, 0);
    this.#write(isOwn ? who : OTHERS, what, 'refused');
    this.#clock.after(PERIOD, () => this.#end(key, isOwn ? who : OTHERS, what));
  }

  #end(key: string, who: string, what: string): void {
    const more = this.#since.get(key) ?? 0;
    this.#since.delete(key);
    if (more > 0) this.#write(who, what, `${more} more refused within a minute`);
  }

  #write(who: string, what: string, outcome: string): void {
    this.#audit.write({ by: 'page', who, what, outcome });
  }
}
