import { randomBytes } from 'node:crypto';
import { worker } from '../../otp/child-spec.ts';
import { processName, sendNamed } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { Uplink } from '../../topic/elsewhere.ts';
import type { Topics } from '../../topic/topics.ts';
import type { Backplane } from '../backplane.ts';
import type { Cluster } from '../cluster.ts';
import { type NatsLinkMessage, natsLink } from './nats-link.ts';
import { type NatsLog, type NatsNetwork, newNatsStats } from './network.ts';
import type { NatsSettings } from './settings.ts';

export interface NatsArgs {
  readonly system: System;
  readonly cluster: Cluster;
  readonly topics: () => Topics;
  /** As `host:port`. */
  readonly servers: readonly string[];
  readonly settings: NatsSettings;
  readonly log: NatsLog;
}

export interface Nats extends Backplane {
  readonly network: NatsNetwork;
}

const linkName = processName<NatsLinkMessage>('cluster.nats-link');

/** The link takes all at once; what it cannot pass on is dropped there, and counted by what was the matter. */
const MAILBOX_LIMIT = 1_000_000;

/** An existing NATS network in place of the mesh: one link to one of its servers. */
export function nats({ system, cluster, topics, servers, settings, log }: NatsArgs): Nats {
  const network: NatsNetwork = {
    self: { node: cluster.node, incarnation: randomBytes(16).toString('hex') },
    settings,
    topics,
    interest: cluster.interest,
    ownership: cluster.ownershipServer,
    log,
    stats: newNatsStats(),
    open: undefined,
  };
  return {
    name: 'nats',
    network,
    specs: [
      worker(
        'nats-link',
        natsLink(network),
        { network, servers },
        { name: linkName, mailboxLimit: MAILBOX_LIMIT },
      ),
    ],
    reload: (addresses) => {
      sendNamed(system, linkName, { type: 'reload', servers: addresses });
    },
  };
}

/** Where topics publish to when NATS is the backplane. */
export function natsUplink(system: System): Uplink {
  return {
    publish({ realm, name }, messages, accounting) {
      accounting.attempts += messages.length;
      if (!sendNamed(system, linkName, { type: 'published', topic: { realm, name }, messages }))
        accounting.dropped.gone += messages.length;
    },
  };
}
