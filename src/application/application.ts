import { drainer } from '../acceptor/drainer.ts';
import type { Refusals } from '../acceptor/refusals.ts';
import { attachSpec } from '../attach/attach.ts';
import type { Mesh } from '../cluster/mesh/mesh.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log/log.ts';
import { type Application, startApplication } from '../otp/application-master.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { processName, whereis } from '../otp/registry.ts';
import { countChildren, type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import { type Load, reload, reloadSpec } from '../reload/reload-server.ts';
import type { Topics } from '../topic/topics.ts';
import type { NodeView, Reloaded } from '../view/relay-view.ts';
import { ACCEPTOR } from './open-door.ts';
import { AUTHENTICATORS } from './open-doors.ts';
import { type Parts, partsOf, type RelayOptions } from './parts.ts';

/** Restarts of the root's children before the process ends, for the service manager to start it afresh. */
const ROOT_INTENSITY = { intensity: 3, period: 10_000 };
const INTENSITY = { intensity: 5, period: 5000 };
const ROOT = processName<SupervisorMessage>('root');

/**
 * The supervision tree. The children start in this order and stop in the reverse one: nothing is reloaded any more, and
 * the drainer has emptied the relay, before anything else goes.
 */
function tree(parts: Parts): ChildSpec {
  const { topics, cluster, network, doors, connections, attached, admin, drainerArgs, reloadArgs } = parts;
  return supervisor(
    ROOT.value,
    { strategy: 'rest_for_one', ...ROOT_INTENSITY },
    [
      topics.spec,
      cluster.spec(network.backplane, topics),
      supervisor('authenticators', INTENSITY, doors.authenticators, { name: AUTHENTICATORS }),
      connections.spec,
      ...(attached === null ? [] : [attachSpec(parts.system, parts.node, attached)]),
      supervisor('acceptor', INTENSITY, doors.listeners, { name: ACCEPTOR }),
      admin.spec,
      worker('drainer', drainer, drainerArgs, { shutdown: 'infinity' }),
      reloadSpec(reloadArgs),
    ],
    { name: ROOT },
  );
}

/** A relay that is being started, runs, or is being stopped. */
export interface Relay extends Application {
  readonly system: System;
  readonly topics: Topics;
  /** The mesh, which a relay alone is as well; null: this relay is linked by NATS. */
  readonly backplane: Mesh | null;
  /** Null: this relay is alone, or in a mesh. */
  readonly nats: Nats | null;
  /** How many clients were turned away, and why. */
  readonly refusals: Readonly<Refusals>;
  /** What tools may see of the relay, and ask for. */
  readonly node: NodeView;
  /** Whether the relay waits for `limits.drain_delay` before it drains: a second `stop` has it drain at once. */
  leaving(): boolean;
  /** Settles when the relay was first asked to stop. */
  readonly stopRequested: Promise<void>;
  /** Takes another configuration, as far as that can be done while it runs; see `reload/reload-server.ts`. */
  reload(load: Load): Promise<Reloaded>;
}

/** Starts the relay that `config` describes. */
export function startRelay(
  config: Config,
  maxConnections: number,
  log: Log,
  options: RelayOptions = {},
): Relay {
  const parts = partsOf(config, maxConnections, log, options);
  const { system, topics, network, node, lifecycle, sampling, gate } = parts;
  const application = startApplication(system, tree(parts));
  void lifecycle.stopping.then(application.stop);
  void application.started.then((result) => {
    if (result.ok) lifecycle.started();
  });
  void application.ended.then(() => {
    lifecycle.ended();
    sampling.stop();
  });
  return {
    ...application,
    stop: lifecycle.stop,
    stopRequested: lifecycle.stopRequested,
    leaving: () => lifecycle.phase === 'leaving',
    refusals: gate.refusals,
    system,
    topics,
    backplane: network.mesh,
    nats: network.nats,
    node,
    reload: (load) => reload(system, load),
  };
}

/** Asks the root supervisor, through the same mailboxes as everything else: an answer proves that the tree lives. */
export async function callRoot(system: System, timeout: number): Promise<void> {
  const root = whereis(system, ROOT);
  if (root === undefined) throw new Error('there is no root');
  await countChildren(root, timeout);
}
