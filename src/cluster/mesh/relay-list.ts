import type { ChildSpec } from '../../otp/child-spec.ts';
import { addChild, removeChild } from '../../otp/children.ts';
import type { System } from '../../otp/system.ts';
import type { Cluster } from '../cluster.ts';
import type { MeshLog, MeshSettings, Network } from './network.ts';

export interface RelayListOptions {
  readonly system: System;
  readonly cluster: Cluster;
  readonly network: Network;
  readonly log: MeshLog;
  /** The processes of the mesh, in the order in which they start. */
  readonly specs: readonly ChildSpec[];
  /** Told of a list that has changed while the processes of the mesh are there. */
  readonly changed: () => void;
  readonly relays: readonly string[];
}

/** The list of relays. With the first one on it the processes of the mesh begin, the network port among them; with none they end. */
export class RelayList {
  readonly #options: RelayListOptions;
  #now: readonly string[];

  constructor(options: RelayListOptions) {
    const { cluster, relays, network, log } = options;
    this.#options = options;
    this.#now = relays;
    if (relays.length === 0) cluster.unlink();
    else sayWhoMayLink(network, log);
  }

  get now(): readonly string[] {
    return this.#now;
  }

  /** Returns what could not be done, in words for an operator. `settings`: for a port that is opened; may throw. */
  async change(
    relays: readonly string[],
    settings: () => MeshSettings = () => this.#options.network.settings,
  ): Promise<readonly string[]> {
    const before = this.#now;
    if (before.length === 0 && relays.length > 0) return this.#begin(relays, settings);
    this.#now = relays;
    if (before.length > 0 && relays.length === 0) await this.#end();
    else this.#options.changed();
    return [];
  }

  async #begin(relays: readonly string[], settings: () => MeshSettings): Promise<readonly string[]> {
    const { system, cluster, network, log, specs } = this.#options;
    try {
      network.opens(settings());
    } catch (error) {
      return [`relays: ${(error as Error).message}`];
    }
    this.#now = relays;
    // First: a relay may dial this one as soon as the port is open.
    cluster.link();
    for (const spec of specs) {
      const result = await addChild(system, cluster.supervisor, spec);
      if (result.ok) continue;
      this.#now = [];
      await this.#end();
      return [`relays: ${result.error}; this relay stays alone`];
    }
    sayWhoMayLink(network, log);
    return [];
  }

  /** The port closes before those who have come through it are sent away, and only then is this relay alone. */
  async #end(): Promise<void> {
    const { system, cluster, network, specs } = this.#options;
    for (const { id } of specs.toReversed()) await removeChild(system, cluster.supervisor, id);
    network.end();
    cluster.unlink();
  }
}

function sayWhoMayLink({ settings: { secret, tls } }: Network, log: MeshLog): void {
  if (secret !== null || tls !== null) return;
  log.warn('open network', {
    why: 'network.secret is not set: whoever connects from the address of a relay is taken for one',
  });
}
