import type { Socket } from 'node:net';
import { TokenBucket } from '../connection/token-bucket.ts';
import { AddressList, AddressTable } from './addresses.ts';
import { AdmissionControl, type AdmissionLimits } from './admission.ts';
import { FailedAuthorisations } from './failed-authorisations.ts';
import { newRefusals, type Refusal, type Refusals } from './refusals.ts';

/** All 0: none. */
export interface GateLimits extends AdmissionLimits {
  /** In a minute. */
  readonly failedAuthorisations: number;
  /** Messages per second. */
  readonly publishRate: number;
  /** Addresses and CIDR blocks without the limits per address. */
  readonly exempt: readonly string[];
}

export type Verdict = 'admitted' | Refusal;

/** What is judged of a request besides the address that it comes from. */
export interface Asked {
  readonly isOriginAllowed: boolean;
  readonly isPost: boolean;
  /** Of the client only its request is known, and that counts as its connection. */
  readonly isForwarded: boolean;
}

/** What all doors together allow a client, by its address, and how often they refused it. Times in milliseconds. */
export class Gate {
  readonly admission: AdmissionControl;
  readonly files: OpenFiles;
  readonly #attempts: FailedAuthorisations;
  readonly #posts: PostRates;
  readonly #refusals = newRefusals();

  /** `openFiles`: the process's limit on them. */
  constructor(limits: GateLimits, openFiles = Number.POSITIVE_INFINITY) {
    const exempt = new AddressList(limits.exempt);
    this.admission = new AdmissionControl(limits, exempt);
    this.files = new OpenFiles(openFiles);
    this.#attempts = new FailedAuthorisations(limits.failedAuthorisations, exempt);
    this.#posts = new PostRates(limits.publishRate, exempt);
  }

  /** Other limits from now on; what is connected stays. */
  configure(limits: GateLimits): void {
    const exempt = new AddressList(limits.exempt);
    this.admission.configure(limits, exempt);
    this.#attempts.configure(limits.failedAuthorisations, exempt);
    this.#posts.configure(limits.publishRate, exempt);
  }

  get refusals(): Readonly<Refusals> {
    return this.#refusals;
  }

  /** Counts a refusal that is judged elsewhere. */
  refuse<Why extends Refusal>(why: Why): Why {
    this.#refusals[why]++;
    return why;
  }

  /** Judges a new connection. An admitted one must be given back with `admission.leave`. */
  enter(address: string, now: number): Verdict {
    if (this.refuses(address, now)) return 'failed-authorisations';
    return this.#counted(this.admission.enter(address, now));
  }

  /** Judges a new connection of a proxy. An admitted one must be given back with `admission.leaveProxy`. */
  enterProxy(): Verdict {
    return this.#counted(this.admission.enterProxy());
  }

  /** Judges a client behind a proxy. An admitted one must be given back with `admission.leaveClient`. */
  enterClient(address: string, now: number): Verdict {
    if (this.refuses(address, now)) return 'failed-authorisations';
    return this.#counted(this.admission.enterClient(address, now));
  }

  /** Judges a request that its door would take. A forwarded one must be given back with `admission.leaveClient`. */
  ask(address: string, { isOriginAllowed, isPost, isForwarded }: Asked, now: number): Verdict {
    if (this.refuses(address, now)) return 'failed-authorisations';
    if (!isOriginAllowed) return this.refuse('origin');
    if (isPost && !this.#posts.take(address, now)) return this.refuse('publish-rate');
    return isForwarded ? this.#counted(this.admission.enterClient(address, now)) : 'admitted';
  }

  failed(address: string, now: number): void {
    this.#attempts.failed(address, now);
  }

  /** Whether the address has failed too often; it counts as a refusal. */
  refuses(address: string, now: number): boolean {
    const isRefused = this.#attempts.refuses(address, now);
    if (isRefused) this.refuse('failed-authorisations');
    return isRefused;
  }

  #counted(verdict: Verdict): Verdict {
    return verdict === 'admitted' ? verdict : this.refuse(verdict);
  }
}

/**
 * How many messages an address may post. A POST has no connection that could be slowed: behind a proxy many clients
 * share one, and elsewhere each may have its own. So they are counted by address, and one too many is refused.
 */
export class PostRates {
  #rate: number;
  readonly #buckets: AddressTable<TokenBucket>;

  /** `rate`: messages per second; 0: no limit. */
  constructor(rate: number, exempt: AddressList) {
    this.#rate = rate;
    // The bucket of an address that has posted nothing for a while is full, as that of a new address.
    this.#buckets = new AddressTable(exempt, (bucket, now) => bucket.isFull(now));
  }

  configure(rate: number, exempt: AddressList): void {
    this.#rate = rate;
    this.#buckets.exempt(exempt);
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#buckets.size;
  }

  take(address: string, now: number): boolean {
    if (this.#rate === 0 || this.#buckets.isExempt(address)) return true;
    const bucket = this.#buckets.entry(address, now, () => new TokenBucket(this.#rate, now));
    bucket.change(this.#rate, now);
    return bucket.take(now);
  }
}

/** Descriptors that no client gets, a fifth at the most: the relay goes on to be asked, to read its files and to reach its back ends. */
const RESERVE = 32;
/** Milliseconds between two lines about one shortage. */
const SAY_EVERY = 60_000;

/** How many connections there may be within a limit on open files. */
export function connectionsWithin(openFiles: number): number {
  return openFiles - Math.min(RESERVE, Math.ceil(openFiles / 5));
}

/**
 * The process's limit on open files. Beyond it the system's answer to a client is a reset that no program hears of, so
 * connections are closed a little before it, where that can be counted.
 */
class OpenFiles {
  /** Infinity: not known, or none. */
  readonly limit: number;
  #closed = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Connections that there may be at the most. */
  get most(): number {
    return connectionsWithin(this.limit);
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
