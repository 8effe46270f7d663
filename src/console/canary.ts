import type { Behaviour } from '../otp/behaviour.ts';
import { keep } from '../otp/behaviour.ts';
import { findProcess, viewOf } from '../otp/inspect.ts';
import { type Self, send } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { sendAfter, type Timer } from '../otp/timer.ts';
import { Delivery } from '../topic/delivery.ts';
import type { Format } from '../topic/format.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { PROBE_REALM } from '../topic/topic-router.ts';
import type { Topics } from '../topic/topics.ts';
import type { Edge } from './edges.ts';

/**
 * Proves that messages flow: joins a topic through its router, publishes to it, and must get the delivery, all within a
 * second. It uses a realm of its own that no door can have, so no client can hear it or answer in its place.
 */
export interface CanaryArgs {
  readonly topics: Topics;
  /** The topic's name, which decides on its partition. */
  readonly topic: string;
  /** What the delivery is made as: the format of the door that is probed. */
  readonly format: Format;
}

export type CanaryMessage =
  | MemberMessage
  | { readonly type: 'probe'; readonly done: (why: string | null) => void }
  | { readonly type: 'late'; readonly round: number };

interface State extends CanaryArgs {
  readonly self: Self<CanaryMessage>;
  round: number;
  waiting: ((why: string | null) => void)[];
  stage: 'rest' | 'join' | 'delivery';
  topicJoined: Topic | undefined;
  timer: Timer | undefined;
}

const LIMIT = 1000;
/** Before the limit of those who ask, so that the reason arrives. */
const PATIENCE = 900;

export const canary: Behaviour<CanaryArgs, State, CanaryMessage> = {
  name: 'canary',

  init: (self, args) => ({
    ...args,
    self,
    round: 0,
    waiting: [],
    stage: 'rest',
    topicJoined: undefined,
    timer: undefined,
  }),

  handle(state, message) {
    if (message instanceof Delivery) {
      delivered(state, message);
      return keep;
    }
    switch (message.type) {
      case 'probe':
        state.waiting.push(message.done);
        if (state.stage === 'rest') begin(state);
        return keep;
      case 'joined':
        joined(state, message.topic);
        return keep;
      case 'refused':
        if (state.stage !== 'rest') finish(state, `${message.action} refused: ${message.why}`);
        return keep;
      case 'lost':
        if (state.stage !== 'rest') finish(state, 'the topic server has crashed');
        return keep;
      case 'late':
        if (message.round === state.round && state.stage !== 'rest') finish(state, missing(state));
        return keep;
      default:
        return keep;
    }
  },

  terminate(state) {
    for (const done of state.waiting.splice(0)) done('the canary has ended');
  },
};

function begin(state: State): void {
  const { self, topics, topic: name, format } = state;
  state.round++;
  state.stage = 'join';
  state.timer = sendAfter(self, PATIENCE, { type: 'late', round: state.round });
  const join = { type: 'join', name, member: self, format, while: 'wanted' } as const;
  if (!topics.route(self.system, PROBE_REALM, join)) finish(state, `${topics.routerOf(name)} is not there`);
}

function joined(state: State, topic: Topic): void {
  const { self } = state;
  state.topicJoined = topic;
  if (state.stage !== 'join') {
    // The answer to a round that has been given up.
    leave(state);
    return;
  }
  state.stage = 'delivery';
  const message = { kind: 'text', payload: Buffer.from(String(state.round)) } as const;
  const publish = { type: 'publish', message, from: self, credit: 0, via: null } as const;
  if (topic.server === undefined || !send(topic.server, publish))
    finish(state, `the topic server of ${topic.toString()} takes nothing`);
}

function delivered(state: State, delivery: Delivery): void {
  delivery.accounting.delivered += delivery.count;
  if (state.stage === 'delivery') finish(state, null);
}

function finish(state: State, why: string | null): void {
  state.timer?.cancel();
  state.stage = 'rest';
  leave(state);
  for (const done of state.waiting.splice(0)) done(why);
}

function leave({ topicJoined, self }: State): void {
  if (topicJoined?.server !== undefined) send(topicJoined.server, { type: 'leave', member: self });
}

function missing({ stage, topics, topic, self }: State): string {
  if (stage === 'delivery')
    return `published to ${PROBE_REALM}:${topic}, and nothing was delivered in ${PATIENCE} ms`;
  const router = topics.routerOf(topic);
  return `no answer from ${router} in ${PATIENCE} ms${condition(self.system, router)}`;
}

function condition(system: System, name: string): string {
  const pid = findProcess(system, name);
  if (pid === undefined) return ' (it is not there)';
  const { status, mailbox } = viewOf(pid);
  return status === 'suspended' ? ' (it is suspended)' : ` (${mailbox} messages wait in its mailbox)`;
}

/** The edge that a canary proves. `needs`: processes by name that must be there and at work besides. */
export function canaryEdge(
  name: string,
  system: System,
  process: ProcessName<CanaryMessage>,
  needs: () => readonly string[] = () => [],
): Edge {
  return {
    name,
    probe(done) {
      const idle = needs().find((need) => {
        const found = findProcess(system, need);
        return found === undefined || viewOf(found).status !== 'running';
      });
      if (idle !== undefined) {
        done(`${idle} does not run${condition(system, idle)}`);
        return;
      }
      const timer = system.clock.after(LIMIT, () => done(`no answer from ${process.value} in ${LIMIT} ms`));
      const settle = (why: string | null) => {
        timer.cancel();
        done(why);
      };
      if (!sendNamed(system, process, { type: 'probe', done: settle }))
        settle(`${process.value} is not there`);
    },
  };
}
