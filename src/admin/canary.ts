import { randomBytes } from 'node:crypto';
import { type Behaviour, keep, type Next, stop } from '../otp/behaviour.ts';
import type { Self } from '../otp/process.ts';
import { findProcess, viewOf } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import { sendAfter } from '../otp/timer.ts';
import { Delivery, type Format, type Message } from '../topic/message.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { leave, publish } from '../topic/topic-requests.ts';
import { PROBE_REALM } from '../topic/topic-router.ts';
import type { TopicsView } from '../view/relay-view.ts';

/**
 * Proves that messages flow, once: joins a topic through its router, publishes to it, and must get the delivery, all
 * within a second. It uses a realm of its own that no door can have, so no client can hear it or answer in its place.
 */
export interface CanaryArgs {
  readonly topics: TopicsView;
  /** The topic's name, which decides on its partition. */
  readonly topic: string;
  /** The format of the delivery: that of the door that is probed. */
  readonly format: Format;
  /** Publishes by way of another relay; null: to the topic itself. Returns why it could not. */
  readonly around: ((message: Message) => string | null) | null;
  /** The first call counts: with null, or with why nothing came, in words for an operator. */
  readonly done: (why: string | null) => void;
}

export type CanaryMessage = MemberMessage | { readonly type: 'late' | 'again' };

interface State extends CanaryArgs {
  readonly self: Self<CanaryMessage>;
  /** The message's text: the message of an earlier canary is not taken for this one's. */
  readonly mark: string;
  topicJoined: Topic | undefined;
}

/** A relay that has just been linked may not be in the topic yet: it is asked again after so many milliseconds. */
const AGAIN = 250;
/** Shorter than the limit of a probe, so that the reason arrives. */
const PATIENCE = 900;

export const canary: Behaviour<CanaryArgs, State, CanaryMessage> = {
  name: 'canary',

  init(self, args) {
    const { topics, topic: name, format, done } = args;
    sendAfter(self, PATIENCE, { type: 'late' });
    const join = { type: 'join', name, member: self, format, while: 'wanted' } as const;
    if (!topics.route(self.system, PROBE_REALM, join)) done(`${topics.routerOf(name)} is not there`);
    return { ...args, self, mark: randomBytes(8).toString('hex'), topicJoined: undefined };
  },

  handle(state, message): Next<State> {
    if (message instanceof Delivery) {
      message.accounting.deliver(message.count);
      return message.bytes.includes(state.mark) ? end(state, null) : keep;
    }
    switch (message.type) {
      case 'joined':
        state.topicJoined = message.topic;
        return state.around === null ? ask(state, message.topic) : askAround(state);
      case 'refused':
        return end(state, `${message.action} refused: ${message.why}`);
      case 'lost':
        return end(state, 'the topic server has crashed');
      case 'again':
        return askAround(state);
      case 'late':
        return end(state, missing(state));
      case 'claimed':
      case 'ended':
      case 'too-slow':
      case 'portion':
      case 'published':
      case 'credit':
        return keep;
    }
  },

  terminate({ topicJoined, self, done }) {
    done('the canary has ended');
    if (topicJoined !== undefined) leave(topicJoined, self);
  },
};

function ask(state: State, topic: Topic): Next<State> {
  const message = messageOf(state);
  if (publish(topic, { type: 'publish', message, from: state.self, credit: 0, via: null })) return keep;
  return end(state, `the topic server of ${topic.toString()} takes nothing`);
}

function askAround(state: State): Next<State> {
  const why = state.around?.(messageOf(state)) ?? null;
  if (why !== null) return end(state, why);
  sendAfter(state.self, AGAIN, { type: 'again' });
  return keep;
}

function messageOf({ mark }: State): Message {
  return { kind: 'text', payload: Buffer.from(mark) };
}

function end({ done }: State, why: string | null): Next<State> {
  done(why);
  return stop('normal');
}

function missing({ topicJoined, around, topics, topic, self }: State): string {
  if (topicJoined === undefined) {
    const router = topics.routerOf(topic);
    return `no answer from ${router} in ${PATIENCE} ms${condition(self.system, router)}`;
  }
  return around === null
    ? `published to ${PROBE_REALM}:${topic}, and nothing was delivered in ${PATIENCE} ms`
    : `published, and nothing came back in ${PATIENCE} ms`;
}

/** Why a process may not answer, in words. */
export function condition(system: System, name: string): string {
  const pid = findProcess(system, name);
  if (pid === undefined) return ' (it is not there)';
  const { status, mailbox } = viewOf(pid);
  return status === 'suspended' ? ' (it is suspended)' : ` (${mailbox} messages wait in its mailbox)`;
}
