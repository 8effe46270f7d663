import { randomBytes } from 'node:crypto';
import { type ServerOptions, WebSocketServer } from 'ws';
import { negotiate, offered, subprotocol, VERSIONS } from '../../door/peer/versions.ts';
import { worker } from '../../otp/child-spec.ts';
import { type DynamicSupervisorMessage, dynamicSupervisor } from '../../otp/dynamic-supervisor.ts';
import { processName, sendNamed } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { Topics } from '../../topic/topics.ts';
import type { Backplane } from '../backplane.ts';
import type { Cluster } from '../cluster.ts';
import { type DiallerMessage, dialler } from './dialler.ts';
import type { MeshLog, MeshSettings, Network } from './network.ts';
import { MeshOrdering } from './ordering.ts';
import { type PeerGreetingArgs, peerGreeting } from './peer-greeting.ts';
import { peerLink } from './peer-link.ts';
import type { PeerLinkArgs, PeerLinkMessage } from './peer-link-state.ts';
import { peerListener } from './peer-listener.ts';
import { ServedWebSocket } from './peer-socket.ts';
import { servingLink } from './serving-link.ts';
import type { ServingLinkArgs, ServingLinkMessage } from './serving-link-state.ts';

export interface MeshArgs {
  readonly system: System;
  readonly cluster: Cluster;
  readonly topics: () => Topics;
  readonly relays: readonly string[];
  readonly settings: MeshSettings;
  readonly log: MeshLog & {
    listening(door: string, at: { readonly host: string; readonly port: number }): void;
  };
}

export interface Mesh extends Backplane {
  readonly network: Network;
}

/** Links may crash this often in 5 seconds before all of them begin anew. */
const INTENSITY = { intensity: 10, period: 5000 };
/** What a relay may send to the one it has dialled: names of topics. */
const MAX_PAYLOAD = 1024 * 1024;

/** The mesh: every relay is linked to every other one, each way on a connection of its own. */
export function mesh({ system, cluster, topics, relays, settings, log }: MeshArgs): Mesh {
  const network: Network = {
    self: { node: cluster.node, incarnation: randomBytes(16).toString('hex') },
    settings,
    topics,
    interest: cluster.interest,
    ownership: cluster.ownershipServer,
    webSockets: webSocketServer(),
    log,
    dialling: new Map(),
    linked: new Map(),
    nodes: new Map(),
    serving: new Map(),
    addresses: new Set(),
    dialled: new Map(),
    taking: new Map(),
    said: new Map(),
    order: { epoch: 1, highest: 1, self: { node: cluster.node, epoch: 1 } },
  };
  cluster.orderedBy(new MeshOrdering(network));
  const diallerName = processName<DiallerMessage>('cluster.dialler');
  const linkName = processName<DynamicSupervisorMessage<PeerLinkArgs, PeerLinkMessage>>('cluster.peer-links');
  const servingName =
    processName<DynamicSupervisorMessage<ServingLinkArgs, ServingLinkMessage>>('cluster.serving-links');
  const greetingName =
    processName<DynamicSupervisorMessage<PeerGreetingArgs, never>>('cluster.peer-greetings');
  if (settings.secret === null && settings.tls === null) {
    log.warn('open network', {
      why: 'network.secret is not set: whoever connects from the address of a relay is taken for one',
    });
  }
  return {
    name: 'mesh',
    network,
    specs: [
      dynamicSupervisor(
        servingName.value,
        { behaviour: servingLink, restart: 'temporary', mailboxLimit: 1_000_000, ...INTENSITY },
        { name: servingName },
      ),
      dynamicSupervisor(
        greetingName.value,
        {
          behaviour: peerGreeting,
          restart: 'temporary',
          abandoned: ({ socket }) => socket.stream.destroy(),
          ...INTENSITY,
        },
        { name: greetingName as never },
      ),
      worker('peer-listener', peerListener, {
        network,
        greetings: greetingName,
        links: servingName,
        listening: (at) => log.listening('network', at),
      }),
      dynamicSupervisor(
        linkName.value,
        { behaviour: peerLink, restart: 'transient', mailboxLimit: 1_000_000, ...INTENSITY },
        { name: linkName },
      ),
      worker('dialler', dialler, { network, relays, links: linkName }, { name: diallerName }),
    ],
    reload: (addresses) => {
      sendNamed(system, diallerName, { type: 'reload', relays: addresses });
    },
  };
}

function webSocketServer(): WebSocketServer {
  const timing: ServerOptions & { readonly closeTimeout: number } = { closeTimeout: 1000 };
  return new WebSocketServer({
    ...timing,
    noServer: true,
    WebSocket: ServedWebSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    handleProtocols: (protocols) => {
      const version = negotiate(offered([...protocols].join(',')) ?? [], VERSIONS);
      return version === null ? false : subprotocol(version);
    },
  });
}
