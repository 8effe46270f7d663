import { randomBytes } from 'node:crypto';
import type { TopicKey } from '../../door/peer/codec.ts';
import { worker } from '../../otp/child-spec.ts';
import { informNamed, processName, sendNamed } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { Accounting } from '../../topic/accounting.ts';
import type { Uplink } from '../../topic/fan-out.ts';
import type { Message } from '../../topic/message.ts';
import type { Backplane, LinkLog, LocalTopics } from '../backplane.ts';
import type { Cluster } from '../cluster.ts';
import type { NatsSettings } from './dial.ts';
import { type EchoMessage, echoLink, probeTopics } from './echo-link.ts';
import { type NatsLinkMessage, natsLink } from './nats-link.ts';
import { type NatsNetwork, NatsStats } from './network.ts';

export interface NatsArgs {
  readonly system: System;
  readonly cluster: Cluster;
  readonly topics: () => LocalTopics;
  /** As `host:port`. */
  readonly servers: readonly string[];
  readonly settings: NatsSettings;
  readonly log: LinkLog;
}

export interface Nats extends Backplane {
  readonly network: NatsNetwork;
  readonly probe: Probe;
  /** The list of servers has changed. */
  reload(servers: readonly string[]): void;
}

/** Proves that messages flow: what is published here comes back to the topic of that name, in the realm of probes. */
export interface Probe {
  readonly topic: string;
  /** Returns why it could not be sent. */
  publish(message: Message): string | null;
}

const echoName = processName<EchoMessage>('cluster.nats-echo');
const linkName = processName<NatsLinkMessage>('cluster.nats-link');

/** The link takes all at once; what it cannot pass on is dropped there, and counted by what was the matter. */
const MAILBOX_LIMIT = 1_000_000;

/** An existing NATS network in place of the mesh: one link to one of its servers. */
export function nats({ system, cluster, topics, servers, settings, log }: NatsArgs): Nats {
  let named = servers;
  const network: NatsNetwork = {
    self: { node: cluster.node, incarnation: randomBytes(16).toString('hex') },
    settings,
    topics,
    log,
    stats: new NatsStats(),
    namesakes: new Set(),
    open: undefined,
  };
  return {
    name: 'nats',
    network,
    specs: [
      worker(
        'nats-link',
        natsLink(network),
        { network, servers: () => named },
        { name: linkName, mailboxLimit: MAILBOX_LIMIT },
      ),
      worker(
        'nats-echo',
        echoLink,
        {
          network,
          servers: () => named,
          publish: (topic, message) => handUp(system, topic, [message], topics().accounting),
        },
        { name: echoName },
      ),
    ],
    beingMade: () => {
      const { connected, why } = network.stats;
      // After a failure the doors do not wait for the next attempt.
      return connected || why !== null ? [] : ['nats: it is being dialled'];
    },
    tellVitals: (text) => informNamed(system, linkName, { type: 'vitals', text }),
    probe: {
      topic: probeTopics(network).back.name,
      publish: (message) =>
        sendNamed(system, echoName, { type: 'probe', message }) ? null : `${echoName.value} is not there`,
    },
    reload: (addresses) => {
      named = addresses;
      informNamed(system, linkName, { type: 'reload', servers: addresses });
      informNamed(system, echoName, { type: 'reload' });
    },
  };
}

/** Where topics publish to when NATS is the backplane. */
export function natsUplink(system: System): Uplink {
  return {
    publish: ({ realm, name }, messages, accounting) => handUp(system, { realm, name }, messages, accounting),
  };
}

/** For each message there is one attempt: that of the link. */
function handUp(system: System, topic: TopicKey, messages: readonly Message[], accounting: Accounting): void {
  accounting.attempt(messages.length);
  if (!sendNamed(system, linkName, { type: 'outgoing', topic, messages, isCounted: false }))
    accounting.drop(messages.length, 'gone');
}
