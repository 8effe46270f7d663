import type { ChildSpec } from '../otp/child-spec.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../otp/dynamic-supervisor.ts';
import { processName, whereis } from '../otp/registry.ts';
import { findProcess, viewOf } from '../otp/sys.ts';
import type { Format } from '../topic/message.ts';
import type { RelayView, Way } from '../view/relay-view.ts';
import { type CanaryArgs, type CanaryMessage, canary, condition } from './canary.ts';

/** An edge over which messages must flow: a door, a partition of the topics, a way to other relays. */
interface Edge {
  /** As the answer names it: `door pusu`, `peer relay-2`. */
  readonly name: string;
  /** Settles within a second. */
  probe(): Promise<Proof>;
}

interface Proof {
  /** Without this edge the relay is not ready. */
  readonly needed: boolean;
  /** Why nothing gets through, in words for an operator; null: messages flow. */
  readonly why: string | null;
}

const CANARIES = processName<DynamicSupervisorMessage<CanaryArgs, CanaryMessage>>('admin.canaries');
/** Milliseconds for a canary. */
const LIMIT = 1000;

export const canaries: ChildSpec = dynamicSupervisor(
  CANARIES.value,
  { behaviour: canary, restart: 'temporary' },
  { name: CANARIES },
);

/** Whether a relay is ready: each of its edges is proved by a canary that is started for the question. */
export class Readiness {
  readonly #view: RelayView;
  /** The probes under way: questions that come meanwhile get their answer. */
  #probes: ReturnType<typeof probed> | null = null;

  constructor(view: RelayView) {
    this.#view = view;
  }

  edges(): ReturnType<typeof probed> {
    this.#probes ??= probed(this.#view).finally(() => {
      this.#probes = null;
    });
    return this.#probes;
  }
}

async function probed(view: RelayView) {
  const { clock } = view.system;
  const began = clock.now();
  return Promise.all(
    edgesOf(view).map(async ({ name: edge, probe }) => {
      const { needed, why } = await probe();
      // In milliseconds.
      const took = Math.round((clock.now() - began) * 10) / 10;
      return { edge, ok: why === null, needed, why, took };
    }),
  );
}

/** The edges as they are now: doors and links that a reload has opened are proved, and closed ones are not missed. */
function edgesOf(view: RelayView): Edge[] {
  const doors = view.doors().flatMap(({ format, ...door }) => (format === null ? [] : [{ ...door, format }]));
  const [first] = doors;
  // Without a door nobody can connect, and nothing is to be proved.
  if (first === undefined) return [];
  const edge = (
    name: string,
    topic: string,
    more: Partial<Asked> = {},
    needs: string | null = null,
  ): Edge => {
    const asked = { topic, format: first.format, around: null, ...more };
    return { name, probe: async () => ({ needed: true, why: await sendCanary(view, asked, needs) }) };
  };
  return [
    ...doors.map(({ name, listener, format }) => edge(`door ${name}`, `door-${name}`, { format }, listener)),
    ...topicsByRouter(view).map(([router, topic]) => edge(router, topic)),
    ...view.ways().map((way): Edge => ({ name: way.name, probe: () => proofOf(view, way, first.format) })),
  ];
}

/** A way may go down while its probe is under way, as when the other relay stops: then it counts as down. */
async function proofOf(view: RelayView, way: Way, format: Format): Promise<Proof> {
  const { name, topic, down, needed, publish } = way;
  if (down !== null) return { needed, why: `down: ${down}` };
  const why = await sendCanary(view, { topic, format, around: publish }, null);
  if (why === null) return { needed: true, why };
  const now = view.ways().find((one) => one.name === name);
  if (now?.down === null) return { needed: true, why };
  return { needed, why: `down: ${now?.down ?? why}` };
}

type Asked = Pick<CanaryArgs, 'topic' | 'format' | 'around'>;

/** `needs`: the name of a process that must be at work besides. */
async function sendCanary(
  { system, topics }: RelayView,
  asked: Asked,
  needs: string | null,
): Promise<string | null> {
  const needed = needs === null ? undefined : findProcess(system, needs);
  if (needs !== null && (needed === undefined || viewOf(needed).status !== 'running'))
    return `${needs} does not run${condition(system, needs)}`;
  const supervisor = whereis(system, CANARIES);
  if (supervisor === undefined) return `${CANARIES.value} is not there`;
  return new Promise((done) => {
    const timer = system.clock.after(LIMIT, () =>
      done(`no answer in ${LIMIT} ms${condition(system, CANARIES.value)}`),
    );
    const settle = (why: string | null) => {
      timer.cancel();
      done(why);
    };
    startDynamicChild(supervisor, { topics, ...asked, done: settle });
  });
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
