import { demonitor, type MonitorRef } from '../otp/monitor.ts';
import { inform, type Pid, type Self } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Turn } from './fan-out.ts';
import type { Histories } from './history/histories.ts';
import { PORTION } from './history/replays.ts';
import type { Keys } from './keys.ts';
import type { Join, MemberMessage, Topic } from './topic.ts';
import { type TopicMessage, wake } from './topic-requests.ts';

/** What the server of a topic works with, and what it does in every turn. */

/** What the server knows of its own asking among the other relays; `sequencing.ts` alone writes it. */
export interface Sequencing {
  /** The round of interest that the other relays have confirmed. */
  confirmed: number;
  /** Tells one asking of how far the other relays are from the next. */
  settling: number;
  /** The epoch of this relay, among the relays, in which it has asked all others how far they are, and has begun none of the topic. */
  gathered: number | null;
  /** The relay that was asked last for what is missing; a timer says when it is late. */
  recalled: string | null;
  isTimed: boolean;
  /** When a member said that it is further than this relay, or the home was waited for in vain. */
  aheadAt: number;
}

export interface TopicServerArgs {
  readonly topic: Topic;
  readonly accounting: Accounting;
  /** The other relays; null: there are none. */
  readonly elsewhere: Elsewhere | null;
  readonly histories: Histories;
  readonly keys: Keys;
  /** Milliseconds of the relay's clock. */
  readonly now: () => number;
  /** Asks the router whether the topic may go. It answers with `retire`, or not at all when a join is under way. */
  readonly idle: (topic: Topic) => void;
}

export interface State extends TopicServerArgs {
  readonly self: Self<TopicMessage>;
  readonly turn: Turn;
  /** The router has been asked, and nothing has come since. */
  asked: boolean;
  /** It was published to since `lingering` began: there is a timer for its end. */
  used: boolean;
  lingering: boolean;
  readonly sequencing: Sequencing;
  /** A join that was taken as the server crashed: its death does not undo it. */
  takenInCrash: Join | undefined;
}

export function fanOut(state: State): void {
  const { topic, turn } = state;
  if (topic.fanOut.run(turn)) wake(topic);
  if (topic.members.coming.size > 0) overtake(state);
}

/** Whether a topic that is not live is started for a message. */
export function isStartedByMessages({ topic, elsewhere }: TopicServerArgs): boolean {
  return (
    (topic.line !== null && topic.line.ring !== null) || (elsewhere !== null && elsewhere.uplink !== null)
  );
}

/** Members that are being resumed, and are left behind: more waits for them than may be replayed at all. */
function overtake(state: State): void {
  const { topic, histories } = state;
  const { line, members } = topic;
  if (line === null || line.ring === null) return;
  for (const [member, { cursor, breaks }] of members.coming)
    if (line.ring.bytesBehind(cursor) > histories.resumeLimit + PORTION || breaks !== line.breaks)
      leaveBehind(state, member);
}

export function leaveBehind({ topic }: State, member: Pid<MemberMessage>): void {
  demonitor(takeOut(topic, member));
  inform(member, { type: 'too-slow', topic });
}

export function takeOut(topic: Topic, member: Pid<MemberMessage>): MonitorRef | null {
  topic.fanOut.letGo(member);
  return topic.members.remove(member) ?? null;
}
