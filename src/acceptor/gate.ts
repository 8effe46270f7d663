import { AddressList } from './address-list.ts';
import { AdmissionControl } from './admission.ts';
import { FailedAuthorisations } from './failed-authorisations.ts';
import { PostRates } from './post-rates.ts';
import { newRefusals, type Refusals } from './refusals.ts';

/** All 0: none. */
export interface GateLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** New connections per second. */
  readonly connectionRatePerAddress: number;
  /** In a minute. */
  readonly failedAuthorisations: number;
  /** Messages per second. */
  readonly publishRate: number;
  /** Addresses and CIDR blocks without the limits per address. */
  readonly exempt: readonly string[];
}

/** What all doors together allow a client, by its address. */
export class Gate {
  readonly refusals: Refusals = newRefusals();
  readonly admission: AdmissionControl;
  readonly attempts: FailedAuthorisations;
  readonly posts: PostRates;

  constructor(limits: GateLimits) {
    const exempt = new AddressList(limits.exempt);
    this.admission = new AdmissionControl(
      {
        connections: limits.connections,
        perAddress: limits.connectionsPerAddress,
        ratePerAddress: limits.connectionRatePerAddress,
        exempt: limits.exempt,
      },
      this.refusals,
    );
    this.attempts = new FailedAuthorisations(limits.failedAuthorisations, exempt, this.refusals);
    this.posts = new PostRates(limits.publishRate, exempt);
  }
}
