import { randomBytes } from 'node:crypto';
import { type ServerOptions, WebSocketServer } from 'ws';
import { negotiate, offered, subprotocol, VERSIONS } from '../../door/peer/session.ts';
import type { Place } from '../../http/port.ts';
import { type ChildSpec, worker } from '../../otp/child-spec.ts';
import { addChild, removeChild } from '../../otp/children.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../../otp/dynamic-supervisor.ts';
import type { Prepared } from '../../otp/prepared.ts';
import type { Started } from '../../otp/process.ts';
import { informNamed, type ProcessName, processName, whereis } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { Backplane, LinkLog, LocalTopics } from '../backplane.ts';
import type { Cluster } from '../cluster.ts';
import { type DiallerMessage, dialler } from './dialler.ts';
import { type InboundLinkArgs, type InboundLinkMessage, inboundLink } from './inbound-link.ts';
import { beingMade } from './links-being-made.ts';
import { type MeshSettings, Network } from './network.ts';
import { MeshOrdering } from './ordering.ts';
import { type OutboundLinkArgs, type OutboundLinkMessage, outboundLink } from './outbound-link.ts';
import { type PeerGreetingArgs, peerGreeting } from './peer-greeting.ts';
import { peerListener } from './peer-listener.ts';
import { ServedWebSocket } from './peer-socket.ts';

export interface MeshArgs {
  readonly system: System;
  readonly cluster: Cluster;
  readonly topics: () => LocalTopics;
  /** None: this relay is alone. */
  readonly relays: readonly string[];
  readonly settings: MeshSettings;
  readonly log: LinkLog & {
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
  /** Starts a child of a supervisor of that name. False: there is none, or it takes no more. */
  function start<Args, Message>(
    name: ProcessName<DynamicSupervisorMessage<Args, Message>>,
    args: Args,
    started: (result: Started<Message>) => void,
  ): boolean {
    const supervisor = whereis(system, name);
    return supervisor !== undefined && startDynamicChild(supervisor, args, started);
  }
  const serve: PeerGreetingArgs['serve'] = (peer, version, started) =>
    start(outboundName, { network, peer, version }, (result) => started(result.ok ? result.pid : null));
  const unlinked = (host: string) => informNamed(system, diallerName, { type: 'unlinked', host });
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
      greet: (caller, begun) =>
        start(greetingName, { network, serve, unlinked, ...caller }, ({ ok }) => begun(ok)),
      listening: (at) => log.listening('network', at),
    }),
    dynamicSupervisor(
      inboundName.value,
      { behaviour: inboundLink(network), restart: 'transient', mailboxLimit: 1_000_000, ...INTENSITY },
      { name: inboundName },
    ),
    worker(
      'dialler',
      dialler,
      {
        network,
        relays: () => list.now,
        start: (at, begun) => start(inboundName, { network, ...at }, ({ ok }) => begun(ok)),
      },
      { name: diallerName },
    ),
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
    beingMade: () => (list.now.length === 0 ? [] : beingMade(network)),
    tellVitals: (text) => {
      for (const links of [network.inbound, network.outbound]) links.tellVitals(text);
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

interface RelayListOptions extends Pick<MeshArgs, 'system' | 'cluster' | 'relays' | 'log'> {
  readonly network: Network;
  /** The processes of the mesh, in the order in which they start. */
  readonly specs: readonly ChildSpec[];
  /** Told of a list that has changed while the processes of the mesh are there. */
  readonly changed: () => void;
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

  /** Makes another list ready. `settings`: for a port that is opened; may throw. */
  async prepare(
    relays: readonly string[],
    settings: () => MeshSettings = () => this.#options.network.settings,
  ): Promise<Prepared> {
    if (this.#now.length === 0 && relays.length > 0) return await this.#begin(relays, settings);
    const commit = async () => {
      const before = this.#now;
      this.#now = relays;
      if (before.length > 0 && relays.length === 0) await this.#end();
      else this.#options.changed();
    };
    return { faults: null, commit, undo: () => [] };
  }

  async #begin(relays: readonly string[], settings: () => MeshSettings): Promise<Prepared> {
    const { system, cluster, network, log, specs } = this.#options;
    const before = network.settings;
    try {
      network.opens(settings());
    } catch (error) {
      return { faults: [`relays: ${(error as Error).message}`] };
    }
    const undo = async () => {
      this.#now = [];
      await this.#end();
      network.opens(before);
      return [];
    };
    this.#now = relays;
    // First: a relay may dial this one as soon as the port is open.
    cluster.link();
    for (const spec of specs) {
      const result = await addChild(system, cluster.supervisor, spec);
      if (result.ok) continue;
      await undo();
      return { faults: [`relays: ${result.error}; this relay stays alone`] };
    }
    return { faults: null, commit: () => sayWhoMayLink(network, log), undo };
  }

  /** The port closes before those who have come through it are sent away, and only then is this relay alone. */
  async #end(): Promise<void> {
    const { system, cluster, network, specs } = this.#options;
    for (const { id } of specs.toReversed()) await removeChild(system, cluster.supervisor, id);
    network.end();
    cluster.unlink();
  }
}

function sayWhoMayLink({ settings: { secret, tls } }: Network, log: LinkLog): void {
  if (secret !== null || tls !== null) return;
  log.warn('open network', {
    why: 'network.secret is not set: whoever connects from the address of a relay is taken for one',
  });
}
