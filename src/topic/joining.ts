import { demonitor, monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import type { IsLost, Line, Replay } from './history/line.ts';
import type { Known, Rendered } from './history/replays.ts';
import { Coming } from './members.ts';
import { Delivery } from './message.ts';
import { awaitEndOfGrace } from './owning.ts';
import type { Join, Joined, MemberMessage, Topic } from './topic.ts';
import { echo, forward, portion, refuse } from './topic-requests.ts';
import { fanOut, leaveBehind, type State, takeOut } from './topic-state.ts';

/** How a member comes into its topic: from now on, or behind where it stood, with what it has missed. */

export function enter(state: State, asked: Join): void {
  const { topic, self } = state;
  const request = withoutPast(asked, topic);
  const { member, format, while: condition, again } = request;
  if (condition === 'owned' && topic.lifetime.state === 'unowned') {
    if (again === undefined) {
      refuse(request, 'missing');
      return;
    }
    topic.become({ state: 'grace', until: now(self) + again.grace }, now(self));
    awaitEndOfGrace(topic, self);
  }
  if (topic.members.has(member)) {
    if (request.since === undefined || again !== undefined) {
      inform(member, { type: 'joined', topic, ...echo(request) });
      return;
    }
    // It came back to a topic that was lost, left before it heard of that, and asks for something else by now.
    demonitor(takeOut(topic, member));
  }
  if (!isAlive(member)) return;
  const isResumed = request.since !== undefined && topic.line !== null;
  const enter = () => {
    topic.members.add(member, format, monitor(self, member), condition === 'owned');
    inform(member, { type: 'joined', topic, ...echo(request) });
  };
  try {
    // Who joins now is owed what comes from now on: the earlier messages go to the earlier members.
    topic.fanOut.pay(state.accounting);
    if (topic.fanOut.isReady) fanOut(state);
  } catch (error) {
    // A crash on one of them takes that message, and not the join.
    if (isResumed) tryAgain(state, request);
    else {
      state.takenInCrash = asked;
      enter();
    }
    throw error;
  }
  if (isResumed) recover(state, request);
  else enter();
}

/** Where nothing is kept, some formats ask for nothing of the past, and are told no position. */
function withoutPast(request: Join, { line }: Topic): Join {
  const { unkept } = request.format;
  if (unkept === undefined || (line !== null && line.ring !== null)) return request;
  const { since: _, ...rest } = request;
  return { ...rest, format: unkept };
}

/** Another message has crashed the server on the way of a join that is to be told where it stands: the next server takes it. */
function tryAgain(state: State, request: Join): void {
  if (forward(state.topic, request)) state.takenInCrash = request;
}

/**
 * A member joins that knows where it stands: what is kept behind there is sent before anything else. Of what does not fit
 * one portion it gets the first, and is one of its group when it has had the last.
 */
function recover(state: State, request: Join): void {
  const { topic, self, histories } = state;
  const { member, format, since, while: condition } = request;
  const { line } = topic;
  if (line === null || since === undefined) return;
  const { version } = line;
  let replay: Replay;
  let rendered: Rendered | null;
  let known: Known;
  try {
    replay = resumeAt(state, line, request);
    const { from, resumption } = replay;
    known = { offset: resumption.at.offset, version };
    rendered = from === null ? null : histories.replays.next(line, format, from, known);
  } catch (error) {
    // The message that could not be rendered is in the way no more.
    if (line.version !== version) tryAgain(state, request);
    throw error;
  }
  const { resumption } = replay;
  let answer: Joined = { type: 'joined', topic, resumption, ...echo(request) };
  if (rendered !== null) {
    answer = { ...answer, deliveries: sent(state, rendered), ...(rendered.isLast ? {} : { more: true }) };
    if (!rendered.isLast) {
      const coming = new Coming(format, monitor(self, member), rendered.end.copy(), known, line.breaks);
      topic.members.expect(member, coming, condition === 'owned');
    }
  }
  if (answer.more !== true) topic.members.add(member, format, monitor(self, member), condition === 'owned');
  histories.answered(replay, since === 'all' || since === 'last');
  tellDeliveries(state, member, answer);
}

/** What a member gets that asks for `since`. Where it is not known what is missing here, nobody is told that it is. */
function resumeAt(
  { topic, histories, now }: State,
  line: Line,
  { since = 'now', format }: Pick<Join, 'since' | 'format'>,
): Replay {
  const isLost: IsLost = (cursor) => histories.replays.isLost(line, format, cursor);
  const replay = line.resume(since, now(), histories.resumeLimit, isLost);
  if (topic.follower?.isUnsure !== true || replay.resumption.recovered === undefined) return replay;
  return { ...replay, resumption: { ...replay.resumption, recovered: false, missed: null, why: 'link' } };
}

/** A member that is being resumed wants the next portion. */
export function goOn(state: State, member: Pid<MemberMessage>): void {
  const { topic, histories } = state;
  const { line } = topic;
  const coming = topic.members.coming.get(member);
  if (coming === undefined || line === null) return;
  try {
    // With the last portion it is to have all that its group has.
    topic.fanOut.pay(state.accounting);
    if (topic.fanOut.isReady) fanOut(state);
  } catch (error) {
    portion(topic, member);
    throw error;
  }
  if (!topic.members.coming.has(member)) return;
  const { version } = line;
  try {
    const deliveries: Delivery[] = [];
    let isLast = false;
    while (deliveries.length === 0 && !isLast) {
      const rendered = histories.replays.next(line, coming.format, coming.cursor, coming.known);
      coming.sent(rendered.end.copy());
      deliveries.push(...sent(state, rendered));
      ({ isLast } = rendered);
    }
    if (isLast) {
      topic.members.complete(member);
      if (coming.isBehind) topic.fanOut.fallBehind(member);
    }
    tellDeliveries(state, member, { type: 'portion', topic, deliveries, ...(isLast ? {} : { more: true }) });
  } catch (error) {
    if (line.version !== version) portion(topic, member);
    else leaveBehind(state, member);
    throw error;
  }
}

/** A part of a replay is attempted. */
function sent({ topic, accounting }: State, { bytes, count, undeliverable }: Rendered): Delivery[] {
  accounting.attempt(count + undeliverable);
  accounting.drop(undeliverable, 'undeliverable');
  topic.fanOut.replayed(count);
  return bytes === null ? [] : [new Delivery(bytes, count, accounting)];
}

function tellDeliveries(
  { accounting }: State,
  member: Pid<MemberMessage>,
  message: Joined | Extract<MemberMessage, { readonly type: 'portion' }>,
): void {
  if (inform(member, message)) return;
  for (const { count } of message.deliveries ?? []) accounting.drop(count, 'gone');
}
