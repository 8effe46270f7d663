import { randomBytes } from 'node:crypto';
import { type ServerOptions, WebSocketServer } from 'ws';
import { negotiate, offered, subprotocol, VERSIONS } from '../../door/peer/session.ts';
import type { Place } from '../../http/port.ts';
import { worker } from '../../otp/child-spec.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../../otp/dynamic-supervisor.ts';
import { informNamed, processName, whereis } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { Topics } from '../../topic/topics.ts';
import type { Backplane } from '../backplane.ts';
import type { Cluster } from '../cluster.ts';
import { type DiallerArgs, type DiallerMessage, dialler } from './dialler.ts';
import { type InboundLinkArgs, type InboundLinkMessage, inboundLink } from './inbound-link.ts';
import { type MeshLog, type MeshSettings, Network } from './network.ts';
import { MeshOrdering } from './ordering.ts';
import { type OutboundLinkArgs, type OutboundLinkMessage, outboundLink } from './outbound-link.ts';
import { type PeerGreetingArgs, peerGreeting } from './peer-greeting.ts';
import { peerListener } from './peer-listener.ts';
import { ServedWebSocket } from './peer-socket.ts';
import { RelayList } from './relay-list.ts';

export interface MeshArgs {
  readonly system: System;
  readonly cluster: Cluster;
  readonly topics: () => Topics;
  /** None: this relay is alone. */
  readonly relays: readonly string[];
  readonly settings: MeshSettings;
  readonly log: MeshLog & {
    listening(door: string, at: Place): void;
  };
}

export interface Mesh extends Backplane {
  readonly network: Network;
  readonly list: RelayList;
}

/** Links may crash this often in 5 seconds before all of them begin anew. */
const INTENSITY = { intensity: 10, period: 5000 };
/** What a relay may send to the one it has dialled: names of topics. */
const MAX_PAYLOAD = 1024 * 1024;

/**
 * The mesh: every relay is linked to every other one, each way on a connection of its own. A relay alone is a mesh as
 * well, of which no process runs.
 */
export function mesh({ system, cluster, topics, relays, settings, log }: MeshArgs): Mesh {
  const network = new Network({
    self: { node: cluster.node, incarnation: randomBytes(16).toString('hex') },
    settings,
    topics,
    webSockets: webSocketServer(),
    log,
  });
  cluster.orderedBy(new MeshOrdering(network));
  const diallerName = processName<DiallerMessage>('cluster.dialler');
  const inboundName =
    processName<DynamicSupervisorMessage<InboundLinkArgs, InboundLinkMessage>>('cluster.inbound-links');
  const outboundName =
    processName<DynamicSupervisorMessage<OutboundLinkArgs, OutboundLinkMessage>>('cluster.outbound-links');
  const greetingName =
    processName<DynamicSupervisorMessage<PeerGreetingArgs, never>>('cluster.peer-greetings');
  const start: DiallerArgs['start'] = (at, begun) => {
    const supervisor = whereis(system, inboundName);
    if (supervisor === undefined) return false;
    return startDynamicChild(supervisor, { network, ...at }, ({ ok }) => begun(ok));
  };
  const specs = [
    dynamicSupervisor(
      outboundName.value,
      { behaviour: outboundLink, restart: 'temporary', mailboxLimit: 1_000_000, ...INTENSITY },
      { name: outboundName },
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
      links: outboundName,
      listening: (at) => log.listening('network', at),
    }),
    dynamicSupervisor(
      inboundName.value,
      { behaviour: inboundLink(network), restart: 'transient', mailboxLimit: 1_000_000, ...INTENSITY },
      { name: inboundName },
    ),
    worker('dialler', dialler, { network, relays: () => list.now, start }, { name: diallerName }),
  ];
  const changed = () => informNamed(system, diallerName, { type: 'reload' });
  const list = new RelayList({ system, cluster, network, log, specs, changed, relays });
  return {
    name: 'mesh',
    network,
    list,
    get specs() {
      return list.now.length === 0 ? [] : specs;
    },
  };
}

function webSocketServer(): WebSocketServer {
  const timing: ServerOptions & { readonly closeTimeout: number } = { closeTimeout: 1000 };
  const server = new WebSocketServer({
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
  // Without this ws answers an upgrade that it refuses with a page; strangers get no answer.
  server.on('wsClientError', (_error, socket) => socket.destroy());
  return server;
}
