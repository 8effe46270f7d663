import type { Authorisation } from '../authenticator/authorisation.ts';
import { allows, isWithin, none, type Permissions, union } from '../authenticator/permissions.ts';
import { CREDENTIALS } from '../authenticator/standing.ts';
import type { Timer } from '../otp/timer.ts';

/** The rights of one credential, which may end. */
interface Held {
  readonly permissions: Permissions;
  /** On the clock of the processes; null: not by time. */
  readonly until: number | null;
  readonly grace: number;
}

type Granted = Pick<Extract<Authorisation, { readonly type: 'regranted' }>, 'ref' | 'permissions' | 'terms'>;

/** Credentials that are being judged again, by the numbers of their questions. */
export type Unconfirmed = ReadonlySet<number>;

/**
 * What a connection may do, where that may end or change: rights for good, and those of credentials that expire or are
 * taken back, each by itself. What one credential loses another one may still give. Times are in milliseconds, on the
 * clock of the processes.
 */
export class Rights {
  #all: Permissions;
  /** What holds for good. */
  #lasting: Permissions;
  /** By the number of the question that brought it. */
  readonly #held = new Map<number, Held>();
  #unconfirmed: Set<number> | undefined = undefined;
  /** Topics that were left for want of a right, and are joined again when there is one. */
  #suspended: readonly string[] = [];
  /** Of those, topics that are being joined again. */
  #returning: Set<string> | undefined = undefined;
  #expiry: Timer | undefined = undefined;
  #grace: Timer | undefined = undefined;

  /** `lasting`: what holds for good. */
  constructor(lasting: Permissions) {
    this.#all = lasting;
    this.#lasting = lasting;
  }

  /** All that holds now. */
  get permissions(): Permissions {
    return this.#all;
  }

  /** What a credential grants, in place of what it granted before. `anonymous`: what everybody may. */
  grant({ ref, permissions, terms: { lasts, grace } }: Granted, anonymous: Permissions, now: number): void {
    // What everybody has goes when everybody loses it.
    const own = isWithin(permissions, anonymous) ? none : permissions;
    this.#held.set(ref, { permissions: own, until: lasts === null ? null : now + lasts, grace });
    const [oldest] = this.#held.keys();
    if (this.#held.size > CREDENTIALS && oldest !== undefined) this.#held.delete(oldest);
    this.#addUp();
  }

  /** The credential of a question may end by itself. */
  has(ref: number): boolean {
    return this.#held.has(ref);
  }

  revoke(ref: number): void {
    this.#held.delete(ref);
    this.#addUp();
  }

  /** Takes away what has expired. Returns when the grace of it is over; null: nothing has. */
  expire(now: number): number | null {
    let end: number | null = null;
    for (const [ref, { until, grace }] of this.#held) {
      if (until === null || until > now) continue;
      this.#held.delete(ref);
      end = Math.max(end ?? until + grace, until + grace);
    }
    this.#addUp();
    return end;
  }

  /** When something expires next; null: nothing does. */
  get expiry(): number | null {
    let next: number | null = null;
    for (const { until } of this.#held.values())
      if (until !== null && until < (next ?? Number.POSITIVE_INFINITY)) next = until;
    return next;
  }

  /** The timer of `expiry`, in place of the one before. */
  expireBy(timer: Timer | undefined): void {
    this.#expiry?.cancel();
    this.#expiry = timer;
  }

  /** The timer of a grace: that of an earlier token is over with the one that followed it. */
  graceBy(timer: Timer | undefined): void {
    this.#grace?.cancel();
    this.#grace = timer;
  }

  /** All credentials are to be judged again; what they grant holds meanwhile. Empty: there are none. */
  review(): Unconfirmed {
    this.#unconfirmed = new Set(this.#held.keys());
    return this.#unconfirmed;
  }

  /** Credentials of which nothing is known yet, and what holds until they have been judged. */
  keep(refs: readonly number[], permissions: Permissions): void {
    for (const ref of refs) this.#held.set(ref, { permissions: none, until: null, grace: 0 });
    this.#lasting = permissions;
    this.#addUp();
  }

  /** A credential has been judged again. 'none': that was not being waited for. */
  confirm(ref: number): 'none' | 'more' | 'all' {
    if (this.#unconfirmed?.delete(ref) !== true) return 'none';
    return this.#unconfirmed.size > 0 ? 'more' : 'all';
  }

  /** Credentials are being judged again: these, if it is said which. */
  isReviewing(which: Unconfirmed | undefined = this.#unconfirmed): boolean {
    return this.#unconfirmed !== undefined && this.#unconfirmed === which;
  }

  /** The review is over: from now on, everybody's rights are these. */
  settle(anonymous: Permissions): void {
    this.#unconfirmed = undefined;
    this.#lasting = anonymous;
    this.#addUp();
  }

  suspend(name: string): void {
    this.#suspended = [...this.#suspended, name];
  }

  /** A topic is not to be joined again. */
  forget(name: string): void {
    this.#returning?.delete(name);
    if (this.#suspended.length > 0) this.#suspended = this.#suspended.filter((each) => each !== name);
  }

  /** A topic is being joined again that had been left for want of a right. */
  returns(name: string): boolean {
    return this.#returning?.has(name) === true;
  }

  /** A topic has been joined. True: it had been left for want of a right. */
  returned(name: string): boolean {
    return this.#returning?.delete(name) === true;
  }

  /** Topics are missing for want of a right. */
  get suspends(): boolean {
    return this.#suspended.length > 0;
  }

  /** Takes out the topics that may be joined again. */
  restored(): readonly string[] {
    if (this.#suspended.length === 0) return this.#suspended;
    const restored = this.#suspended.filter((name) => allows(this.#all, 'read', name));
    this.#suspended = this.#suspended.filter((name) => !restored.includes(name));
    if (restored.length > 0) this.#returning = new Set([...(this.#returning ?? []), ...restored]);
    return restored;
  }

  /** Credentials whose rights may end. */
  get held(): number {
    return this.#held.size;
  }

  #addUp(): void {
    let all = this.#lasting;
    for (const { permissions } of this.#held.values()) all = union(all, permissions);
    this.#all = all;
  }
}
