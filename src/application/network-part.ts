import type { Backplane } from '../cluster/backplane.ts';
import { Cluster } from '../cluster/cluster.ts';
import { type Mesh, type MeshArgs, mesh } from '../cluster/mesh/mesh.ts';
import { meshSettings } from '../cluster/mesh/settings.ts';
import { type Nats, nats, natsUplink } from '../cluster/nats/nats.ts';
import { natsSettings } from '../cluster/nats/settings.ts';
import type { Config } from '../config/config.ts';
import type { LinkView } from '../console/link-view.ts';
import type { Way } from '../console/relay-view.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import type { System } from '../otp/system.ts';
import type { Reloadable } from '../reload/reload.ts';
import { matches } from '../topic/pattern.ts';
import type { Topics } from '../topic/topics.ts';
import { meshLinks, natsLinks } from './links.ts';
import { meshWays, natsWays } from './ways.ts';

/** What links this relay to others: a mesh, a NATS network, or nothing. */
export class NetworkPart {
  /** Null: this relay is alone. */
  readonly cluster: Cluster | null;
  readonly mesh: Mesh | null;
  readonly nats: Nats | null;
  readonly #system: System;

  constructor(system: System, config: Config, topics: () => Topics, log: MeshArgs['log']) {
    const cluster = clusterOf(system, config);
    this.cluster = cluster;
    this.#system = system;
    const { servers } = config.cluster;
    const overNats = config.cluster.backplane === 'nats';
    const shared = { system, topics, log };
    this.nats =
      cluster === null || !overNats
        ? null
        : nats({ ...shared, cluster, servers, settings: natsSettings(config) });
    this.mesh =
      cluster === null || overNats
        ? null
        : mesh({ ...shared, cluster, relays: config.relays, settings: meshSettings(config) });
  }

  specs(topics: Topics): ChildSpec[] {
    const linked = this.nats ?? this.mesh;
    return this.cluster === null || linked === null ? [] : [this.cluster.spec(linked, topics)];
  }

  /** A relay that was alone has no network port: that counts from its next start on. */
  get reloadable(): Reloadable[] {
    return [
      ...(this.mesh === null ? [] : [reloadOf('relays', this.mesh, ({ relays }) => relays)]),
      ...(this.nats === null
        ? []
        : [reloadOf('cluster.servers', this.nats, ({ cluster: { servers } }) => servers)]),
    ];
  }

  /** Null: this relay is alone. */
  get links(): (() => LinkView[]) | null {
    const { mesh: overMesh, nats: overNats } = this;
    if (overNats !== null) return () => natsLinks(overNats);
    return overMesh === null ? null : () => meshLinks(overMesh, this.#system);
  }

  /** `needed`: this relay is to be ready only while it is linked to all others. */
  ways(needed: boolean): Way[] {
    if (this.nats !== null) return natsWays(this.nats);
    return this.mesh === null ? [] : meshWays(this.mesh, needed);
  }
}

/** A changed list of relays or servers ends links and makes others. */
function reloadOf(
  key: string,
  backplane: Backplane,
  addresses: (next: Config) => readonly string[],
): Reloadable {
  return {
    keys: [key],
    apply: (next) => {
      backplane.reload(addresses(next));
      return [];
    },
  };
}

/** Null: this relay is alone. */
function clusterOf(system: System, config: Config): Cluster | null {
  const { cluster, relays, node } = config;
  if (cluster.backplane === 'nats') return new Cluster(system, node, noneOrdered, natsUplink(system));
  return relays.length === 0 ? null : new Cluster(system, node, orderedTopics(config));
}

/** Over NATS there is no relay that could order them. */
const noneOrdered = () => false;

/** Which topics have one order for all relays. */
function orderedTopics({ topics }: Config): (name: string) => boolean {
  return (name) => topics.find(({ pattern }) => matches(pattern, name))?.ordering === 'cluster';
}
