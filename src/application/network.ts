import type { Backplane, LinkLog } from '../cluster/backplane.ts';
import { Cluster } from '../cluster/cluster.ts';
import { firstLinksName, firstLinksServer, linksMade } from '../cluster/first-links-server.ts';
import { type Mesh, type MeshArgs, mesh } from '../cluster/mesh/mesh.ts';
import { meshSettings } from '../cluster/mesh/network.ts';
import { probe, probeTopic } from '../cluster/mesh/ordering.ts';
import { natsSettings } from '../cluster/nats/dial.ts';
import { type Nats, nats, natsUplink } from '../cluster/nats/nats.ts';
import type { RelayTable } from '../cluster/relay-table.ts';
import type { Config } from '../config/config.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import type { Clock } from '../otp/clock.ts';
import { type Prepared, readyTo } from '../otp/prepared.ts';
import type { System } from '../otp/system.ts';
import type { Reloadable } from '../reload/running-config.ts';
import type { PeerView } from '../view/network.ts';
import type { LinkView, Way } from '../view/relay-view.ts';
import { topicRules } from './topic-rules.ts';

/** What links this relay to others, and what is shown of it and asked of it. */
export interface Network {
  readonly backplane: Backplane;
  /** The mesh, in which this relay may be alone; null: it is linked by NATS. */
  readonly mesh: Mesh | null;
  readonly nats: Nats | null;
  readonly reloadable: Reloadable;
  /** Starts when the relays that can be reached are linked. */
  readonly firstLinks: ChildSpec;
  /** Null: this relay is alone now. */
  links(): LinkView[] | null;
  /** The other relays, as far as they are known. */
  peers(): PeerView[];
  /** `needed`: this relay is to be ready only while it is linked to all others. */
  ways(needed: boolean): Way[];
}

type Shared = Omit<MeshArgs, 'relays' | 'settings'>;

/** From one backplane to the other only the next start leads, with all that belongs to it. */
const UNLESS = ['cluster.backplane'];

/** The other relays, as topics see them. */
export function clusterOf(system: System, { cluster: { backplane }, node, topics }: Config): Cluster {
  return backplane === 'nats'
    ? new Cluster(system, node, noneOrdered, natsUplink(system))
    : new Cluster(system, node, orderedTopics(topics));
}

export function networkOf(config: Config, shared: Shared): Network {
  return config.cluster.backplane === 'nats' ? overNats(config, shared) : overMesh(config, shared);
}

function overMesh(config: Config, shared: Shared): Network {
  const { system, cluster } = shared;
  const backplane = mesh({ ...shared, relays: config.relays, settings: meshSettings(config) });
  const { list } = backplane;
  return {
    backplane,
    mesh: backplane,
    nats: null,
    reloadable: {
      // A relay alone has no network port yet, so the settings of the port may change as well.
      get keys() {
        return list.now.length === 0 ? ['relays', 'network'] : ['relays'];
      },
      unless: UNLESS,
      prepare: async (next) => untilLinked(system, await list.prepare(next.relays, () => meshSettings(next))),
    },
    firstLinks: firstLinksOf(backplane, shared.log),
    links: () => (cluster.alone ? null : meshLinks(backplane, system.clock)),
    peers: () => (cluster.alone ? [] : meshPeers(backplane, meshLinks(backplane, system.clock))),
    ways: (needed) => meshWays(backplane, needed),
  };
}

function overNats(config: Config, shared: Shared): Network {
  const { system, cluster } = shared;
  const { servers } = config.cluster;
  const backplane = nats({ ...shared, servers, settings: natsSettings(config) });
  return {
    backplane,
    mesh: null,
    nats: backplane,
    reloadable: {
      keys: ['cluster.servers'],
      unless: UNLESS,
      prepare: (next) => readyTo(() => backplane.reload(next.cluster.servers)),
    },
    firstLinks: firstLinksOf(backplane, shared.log),
    links: () => natsLinks(backplane),
    peers: () => natsPeers(backplane, cluster.relays, system.clock.now()),
    ways: () => natsWays(backplane),
  };
}

/** A reload is over when its links are made: what is acknowledged then is missed by nobody. */
function untilLinked(system: System, prepared: Prepared): Prepared {
  if (prepared.faults !== null) return prepared;
  const commit = async () => {
    await prepared.commit();
    await linksMade(system);
  };
  return { faults: null, commit, undo: () => prepared.undo() };
}

function firstLinksOf(backplane: Mesh | Nats, log: LinkLog): ChildSpec {
  const limit = () => backplane.network.settings.timeout;
  return worker('first-links', firstLinksServer, { backplane, limit, log }, { name: firstLinksName });
}

/** Over NATS there is no relay that could order them. */
const noneOrdered = () => false;

/** Which topics have one order for all relays. */
function orderedTopics(topics: Config['topics']): (name: string) => boolean {
  const ruleOf = topicRules(topics);
  return (name) => ruleOf(name)?.ordering === 'cluster';
}

/** The links of a mesh, two for each relay in the list: an inbound one, which this relay has dialled, and an outbound one. */
function meshLinks({ network }: Mesh, clock: Clock): LinkView[] {
  const links: LinkView[] = [];
  const named = new Set<string>();
  for (const { address, node, state, why, links: made, roundTrip } of network.inbound.ways()) {
    const counts = node === null ? undefined : network.inbound.countsOf(node);
    if (node !== null) named.add(node);
    links.push({
      peer: node ?? address,
      direction: 'in',
      state: state === 'up' ? 'up' : 'down',
      address,
      why,
      roundTrip,
      lag: null,
      messages: counts?.received ?? 0,
      bytes: counts?.bytes ?? 0,
      lost: counts?.lost ?? 0,
      pending: 0,
      reconnects: Math.max(0, made - 1),
    });
  }
  const now = clock.now();
  for (const [node, served] of network.outbound.all()) {
    const { connection, outbox, links: made, pending } = served;
    const live = connection !== undefined;
    // A relay that has left the list, or has another name now, is forgotten as soon as its link is gone.
    if (!live && !named.has(node)) continue;
    const lost = outbox.dropped.overflow + outbox.dropped.unlinked;
    // What goes there to be given its order goes over the connection of the other direction.
    const unreachable = network.forwarded.of(node)?.unreachable ?? 0;
    links.push({
      peer: node,
      direction: 'out',
      state: live ? 'up' : 'down',
      address: null,
      why: live ? null : 'it has not come back',
      roundTrip: null,
      lag: live ? served.lag(now) : null,
      messages: outbox.last - lost,
      bytes: outbox.written,
      lost: lost + unreachable,
      pending,
      reconnects: Math.max(0, made - 1),
    });
  }
  return links.sort((a, b) => (a.peer === b.peer ? 0 : a.peer < b.peer ? -1 : 1));
}

/** What links a relay to a NATS network, and to the other relays that are heard of there. */
function natsLinks({ network: { stats, open } }: Nats): LinkView[] {
  const { connected, connects, server, why, roundTrip } = stats;
  const link = {
    peer: 'nats',
    state: connected ? 'up' : 'down',
    address: server,
    why,
    roundTrip,
    lag: null,
    reconnects: Math.max(0, connects - 1),
  } as const;
  const { sent, overflow, unlinked, tooLarge, received, refused } = stats;
  return [
    { ...link, direction: 'in', messages: received, bytes: stats.bytesIn, lost: refused, pending: 0 },
    {
      ...link,
      direction: 'out',
      messages: sent,
      bytes: stats.bytesOut,
      lost: overflow + unlinked + tooLarge,
      pending: open?.window.bytes ?? 0,
    },
    ...stats.peers.toSorted().map(
      (peer): LinkView => ({
        peer,
        direction: 'in',
        state: 'up',
        address: 'heard over nats',
        why: null,
        roundTrip: null,
        lag: null,
        messages: null,
        bytes: null,
        lost: 0,
        pending: 0,
        reconnects: 0,
      }),
    ),
  ];
}

/** One for both links with a relay. It can be reached where one of them is up. */
function meshPeers({ network }: Mesh, links: readonly LinkView[]): PeerView[] {
  const peers = new Map<string, PeerView>();
  for (const { peer, state, why, direction } of links) {
    const known = peers.get(peer);
    const isUp = known?.isUp === true || state === 'up';
    // Of a relay that cannot be reached, what came of dialling it says more than that it has not come back.
    const said = known === undefined || direction === 'in' ? why : known.why;
    peers.set(peer, { node: peer, isUp, why: isUp ? null : said });
  }
  return Array.from(peers.values(), (peer) =>
    peer.isUp && !tellsVitals(network, peer.node) ? { ...peer, why: 'not told by its version' } : peer,
  );
}

function tellsVitals({ inbound, outbound }: Mesh['network'], node: string): boolean {
  return inbound.versionOf(node) >= 2 || (outbound.of(node)?.connection?.session.version ?? 1) >= 2;
}

/** Milliseconds for which a relay is remembered that is not heard over NATS: no list names it. */
const REMEMBERED = 10 * 60_000;

function natsPeers({ network: { stats } }: Nats, relays: RelayTable, now: number): PeerView[] {
  const heard = new Set(stats.peers);
  const lost = [...relays.nodes].filter(
    (node) => !heard.has(node) && now - (relays.of(node)?.at ?? 0) < REMEMBERED,
  );
  const why = stats.connected ? 'it is not heard over nats' : `nats: ${stats.why ?? 'not connected yet'}`;
  return [
    ...Array.from(heard, (node) => ({ node, isUp: true, why: null })),
    ...lost.map((node) => ({ node, isUp: false, why })),
  ];
}

/** A probe goes both ways over the link that this relay has made; what is published here goes over the other relay's. */
const NOT_SERVED = 'it has made no link to this relay, and takes none of its messages';

/** The ways to the relays of a mesh. A relay that is down makes this one unready only where `needed`. */
function meshWays({ network }: Mesh, needed: boolean): Way[] {
  const ways = new Map<string, Way>();
  for (const { address, node, state, why } of network.inbound.ways()) {
    const peer = node ?? address;
    const isUp = state === 'up' && network.outbound.of(peer)?.connection !== undefined;
    const unlinked = state === 'up' ? NOT_SERVED : (why ?? 'not linked yet');
    ways.set(peer, {
      name: `peer ${peer}`,
      topic: probeTopic(network.self.node, peer).name,
      down: isUp ? null : unlinked,
      needed,
      publish: (message) => probe(network, peer, message),
    });
  }
  return [...ways.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A relay without the network that was chosen for its messages is cut off from all others: it is not ready. */
function natsWays({ network, probe: around }: Nats): Way[] {
  const { connected, why } = network.stats;
  return [
    {
      name: 'backplane nats',
      topic: around.topic,
      down: connected ? null : (why ?? 'not connected yet'),
      needed: true,
      publish: around.publish,
    },
  ];
}
