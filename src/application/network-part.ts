import { allows, onPatterns, readOnly } from '../authenticator/permissions.ts';
import type { Backplane } from '../cluster/backplane.ts';
import { Cluster } from '../cluster/cluster.ts';
import { type Mesh, type MeshArgs, mesh } from '../cluster/mesh/mesh.ts';
import { meshSettings } from '../cluster/mesh/settings.ts';
import { type Nats, nats, natsUplink } from '../cluster/nats/nats.ts';
import { natsSettings } from '../cluster/nats/settings.ts';
import type { Config } from '../config/config.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import type { System } from '../otp/system.ts';
import type { Reloadable } from '../reload/reload.ts';
import type { Topics } from '../topic/topics.ts';
import type { LinkView } from '../view/link-view.ts';
import type { Way } from '../view/relay-view.ts';
import { meshLinks, natsLinks } from './links.ts';
import { meshWays, natsWays } from './ways.ts';

/** What links this relay to others: a mesh, in which it may be alone, or a NATS network. */
export class NetworkPart {
  readonly cluster: Cluster;
  readonly mesh: Mesh | null;
  readonly nats: Nats | null;
  readonly #system: System;
  readonly #backplane: Backplane;

  constructor(system: System, config: Config, topics: () => Topics, log: MeshArgs['log']) {
    const { cluster, node, relays } = config;
    this.#system = system;
    if (cluster.backplane === 'nats') {
      this.cluster = new Cluster(system, node, noneOrdered, natsUplink(system));
      const { servers } = cluster;
      const shared = { system, topics, log, cluster: this.cluster };
      this.nats = nats({ ...shared, servers, settings: natsSettings(config) });
      this.mesh = null;
      this.#backplane = this.nats;
    } else {
      this.cluster = new Cluster(system, node, orderedTopics(config));
      const shared = { system, topics, log, cluster: this.cluster };
      this.mesh = mesh({ ...shared, relays, settings: meshSettings(config) });
      this.nats = null;
      this.#backplane = this.mesh;
    }
  }

  spec(topics: Topics): ChildSpec {
    return this.cluster.spec(this.#backplane, topics);
  }

  /** From one backplane to the other only the next start leads, with all that belongs to it. */
  get reloadable(): Reloadable[] {
    const unless = ['cluster.backplane'];
    const { mesh: overMesh, nats: overNats } = this;
    const parts: Reloadable[] = [];
    if (overMesh !== null) {
      const { list } = overMesh;
      parts.push({
        // Where there is no port yet, all that it opens with may change as well.
        get keys() {
          return list.now.length === 0 ? ['relays', 'network'] : ['relays'];
        },
        unless,
        apply: (next) => list.change(next.relays, () => meshSettings(next)),
      });
    }
    if (overNats !== null) {
      const apply: Reloadable['apply'] = ({ cluster: { servers } }) => {
        overNats.reload(servers);
        return [];
      };
      parts.push({ keys: ['cluster.servers'], unless, apply });
    }
    return parts;
  }

  /** Null: this relay is alone now. */
  get links(): LinkView[] | null {
    if (this.nats !== null) return natsLinks(this.nats);
    return this.mesh === null || this.cluster.alone ? null : meshLinks(this.mesh, this.#system);
  }

  /** `needed`: this relay is to be ready only while it is linked to all others. */
  ways(needed: boolean): Way[] {
    if (this.nats !== null) return natsWays(this.nats);
    return this.mesh === null ? [] : meshWays(this.mesh, needed);
  }
}

/** Over NATS there is no relay that could order them. */
const noneOrdered = () => false;

/** Which topics have one order for all relays. */
function orderedTopics({ topics }: Config): (name: string) => boolean {
  const rules = topics.map(({ pattern, ordering }) => ({
    ordering,
    matching: onPatterns([pattern], readOnly),
  }));
  return (name) => rules.find(({ matching }) => allows(matching, 'read', name))?.ordering === 'cluster';
}
