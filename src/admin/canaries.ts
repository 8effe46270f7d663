import type { ChildSpec } from '../otp/child-spec.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../otp/dynamic-supervisor.ts';
import { findProcess, viewOf } from '../otp/inspect.ts';
import { processName, whereis } from '../otp/registry.ts';
import type { Edge } from '../view/edges.ts';
import type { RelayView } from '../view/relay-view.ts';
import { type CanaryArgs, type CanaryMessage, canary, condition } from './canary.ts';

/**
 * The edges of a relay as they are at the time of a question, each with a canary that is started to prove it: what a
 * reload has opened is proved from then on, and what it has closed is missed by nobody.
 */
const CANARIES = processName<DynamicSupervisorMessage<CanaryArgs, CanaryMessage>>('admin.canaries');
const LIMIT = 1000;

export const canaries: ChildSpec = dynamicSupervisor(
  CANARIES.value,
  { behaviour: canary, restart: 'temporary' },
  { name: CANARIES },
);

export function edgesOf(view: RelayView): Edge[] {
  const doors = view.doors().flatMap(({ format, ...door }) => (format === null ? [] : [{ ...door, format }]));
  const [first] = doors;
  // Without a door nobody can connect, and nothing is to be proved.
  if (first === undefined) return [];
  const { format } = first;
  const edge = (
    name: string,
    topic: string,
    more: Partial<Pick<Asked, 'format' | 'around' | 'needs'>> = {},
  ) => canaryEdge(view, { name, topic, format, around: null, needs: null, ...more });
  return [
    ...doors.map(({ name, listener, format: own }) =>
      edge(`door ${name}`, `door-${name}`, { format: own, needs: listener }),
    ),
    ...topicsByRouter(view).map(([router, topic]) => edge(router, topic)),
    ...view.ways().map(({ name, topic, down, needed, publish }): Edge => {
      if (down === null) return edge(name, topic, { around: publish });
      return { name, needed, probe: (done) => done(`down: ${down}`) };
    }),
  ];
}

interface Asked extends Pick<CanaryArgs, 'topic' | 'format' | 'around'> {
  readonly name: string;
  /** A process that must be at work besides. */
  readonly needs: string | null;
}

function canaryEdge({ system, topics }: RelayView, { name, needs, ...asked }: Asked): Edge {
  return {
    name,
    needed: true,
    probe(done) {
      if (needs !== null) {
        const found = findProcess(system, needs);
        if (found === undefined || viewOf(found).status !== 'running') {
          done(`${needs} does not run${condition(system, needs)}`);
          return;
        }
      }
      const supervisor = whereis(system, CANARIES);
      if (supervisor === undefined) {
        done(`${CANARIES.value} is not there`);
        return;
      }
      const timer = system.clock.after(LIMIT, () => {
        done(`no answer in ${LIMIT} ms${condition(system, CANARIES.value)}`);
      });
      const settle = (why: string | null) => {
        timer.cancel();
        done(why);
      };
      startDynamicChild(supervisor, { topics, ...asked, done: settle });
    },
  };
}

/** For every router the name of a topic that is one of its own. */
function topicsByRouter({ topics }: RelayView): [router: string, topic: string][] {
  const found = new Map<string, string>();
  for (let i = 0; found.size < topics.routers.length; i++) {
    const topic = `partition-${i}`;
    const router = topics.routerOf(topic);
    if (!found.has(router)) found.set(router, topic);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}
