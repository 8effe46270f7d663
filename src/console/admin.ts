import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { processName } from '../otp/registry.ts';
import { supervisor } from '../otp/supervisor.ts';
import type { Format } from '../topic/format.ts';
import { type AdminLog, adminListener } from './admin-listener.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { type CanaryMessage, canary, canaryEdge } from './canary.ts';
import type { RelayView } from './relay-view.ts';
import { type SamplerMessage, sampler } from './sampler.ts';
import type { Sampling } from './sampling.ts';
import { type WatchdogArgs, watchdog } from './watchdog.ts';

export interface AdminOptions {
  readonly view: RelayView;
  readonly sampling: Sampling;
  readonly metrics: AdminRoutes['metrics'];
  /** Null: nothing listens, and the watchdog alone is at work. */
  readonly at: {
    readonly host: string;
    readonly port: number;
    readonly names: readonly string[];
    readonly observerActions: boolean;
  } | null;
  readonly watchdog: WatchdogArgs;
  readonly log: AdminLog;
}

/**
 * `admin`: its part of the supervision tree. When it has used up its restarts it stays down, and the relay lives on:
 * whoever looks on must not take down what is looked at.
 */
export function adminSpec({ view, sampling, metrics, at, watchdog: watching, log }: AdminOptions): ChildSpec {
  const name = processName<SamplerMessage>('admin.sampler');
  const children = [worker('admin.watchdog', watchdog, watching, { name: processName('admin.watchdog') })];
  if (at !== null) {
    const { host, port, names, observerActions: actions } = at;
    const named = names.includes(host) ? names : [host, ...names];
    children.push(
      worker('admin.sampler', sampler, { view, sampling, actions }, { name }),
      ...canaries(view),
      worker(
        'admin.listener',
        adminListener,
        { view, metrics, sampler: name, actions, host, port, names: named, log },
        { name: processName('admin.listener') },
      ),
    );
  }
  return supervisor('admin', { strategy: 'one_for_one', intensity: 10, period: 10_000 }, children, {
    restart: 'temporary',
  });
}

/** A canary for every door, and one for every partition of the topics, which the doors share. */
function canaries(view: RelayView): ChildSpec[] {
  const { topics, system, edges } = view;
  const doors = view.doors();
  const first = doors.find(({ format }) => format !== null)?.format;
  const specs: ChildSpec[] = [];
  const add = (edge: string, topic: string, format: Format, needs: () => readonly string[]): void => {
    const process = processName<CanaryMessage>(`admin.canary.${edge.replace(' ', '.')}`);
    specs.push(worker(process.value, canary, { topics, topic, format }, { name: process }));
    edges.add(canaryEdge(edge, system, process, needs));
  };
  for (const { name, format } of doors) {
    if (format === null) continue;
    // A reload may give the door another listener, or none.
    const listeners = () => view.doors().flatMap((door) => (door.name === name ? [door.listener] : []));
    add(`door ${name}`, `door-${name}`, format, listeners);
  }
  if (first !== undefined && first !== null) {
    for (const [router, topic] of [...topicsByRouter(view)].sort(([a], [b]) => (a < b ? -1 : 1)))
      add(router, topic, first, () => []);
  }
  return specs;
}

/** For every router the name of a topic that is one of its own. */
function topicsByRouter({ topics }: RelayView): Map<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; found.size < topics.routers.length; i++) {
    const topic = `partition-${i}`;
    const router = topics.routerOf(topic);
    if (!found.has(router)) found.set(router, topic);
  }
  return found;
}
