import { AddressList } from './address-list.ts';
import { AdmissionControl, type AdmissionLimits } from './admission.ts';
import { FailedAuthorisations } from './failed-authorisations.ts';
import { OpenFiles } from './open-files.ts';
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
  readonly files: OpenFiles;

  /** `openFiles`: the process's limit on them. */
  constructor(limits: GateLimits, openFiles = Number.POSITIVE_INFINITY) {
    this.files = new OpenFiles(openFiles);
    const exempt = new AddressList(limits.exempt);
    this.admission = new AdmissionControl(admissionLimits(limits), this.refusals);
    this.attempts = new FailedAuthorisations(limits.failedAuthorisations, exempt, this.refusals);
    this.posts = new PostRates(limits.publishRate, exempt);
  }

  /** Other limits from now on; who is in stays. */
  configure(limits: GateLimits): void {
    const exempt = new AddressList(limits.exempt);
    this.admission.configure(admissionLimits(limits));
    this.attempts.configure(limits.failedAuthorisations, exempt);
    this.posts.configure(limits.publishRate, exempt);
  }
}

function admissionLimits(limits: GateLimits): AdmissionLimits {
  return {
    connections: limits.connections,
    perAddress: limits.connectionsPerAddress,
    ratePerAddress: limits.connectionRatePerAddress,
    exempt: limits.exempt,
  };
}
