import { type Behaviour, type Down, keep, type Next, stop } from '../otp/behaviour.ts';
import { demonitor, type MonitorRef, monitor } from '../otp/monitor.ts';
import { inform, isAlive, isGone, type Pid, type Self, send } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import { giveBack, lose, type Turn } from './fan-out.ts';
import { PATIENCE, type Step, sharedOf } from './follower.ts';
import type { Histories } from './history/histories.ts';
import type { Line, Replay } from './history/line.ts';
import { PORTION, type Rendered, type Replays } from './history/replays.ts';
import type { Keys } from './keys.ts';
import { claim, hasEnded, mayPublish, ownerLeft, type RemoteOwnership, unowned } from './lifetime.ts';
import type { LineChange } from './line.ts';
import { Coming } from './members.ts';
import { Delivery, type Format, type Message, type Publish, type Sequencer } from './message.ts';
import type { Claim, Incoming, Join, Joined, MemberMessage, Recall, Request, Topic } from './topic.ts';

/**
 * One live topic. Its server puts the messages of all publishers in one order and fans them out: all that are waiting,
 * in one turn, as one `Delivery` for each format in use, sent to every member.
 *
 * It does so only while no member is behind: a fast publisher runs out of credit instead of filling the members'
 * outboxes. Members say themselves when they are in the way and when they no longer are.
 *
 * The topic owns all that outlives a crash; the server owns what it has asked its router, and its timers.
 */

/** Milliseconds that a topic without members waits for the next message, where its messages go to other relays. */
const LINGER = 1000;
/** Milliseconds that a first local member waits for the other relays to know of it. */
const INTEREST_TIMEOUT = 250;
/** Milliseconds that a new home waits for the others to say how far they are, and a member for what its relay has yet to hear of. */
const SETTLING_TIMEOUT = 250;
/** Members that say that they are further than this relay have it ask the home no more often than this. */
const RECALL_PERIOD = 1000;
/** Milliseconds that a claim waits for its judgement; whoever judges is faster, unless it crashes. */
const CLAIM_TIMEOUT = 4000;

type Verdict = 'granted' | 'owned' | 'unavailable';

/** Sends a message to its topic. False: nobody can take it, and it is not counted. */
export function publish({ server }: Topic, message: Publish): boolean {
  return server !== undefined && send<TopicMessage>(server as Pid<TopicMessage>, message);
}

/** A router's way to the server. False: it takes no more. */
export function forward(topic: Topic, request: Request): boolean {
  if (request.type === 'publish') return publish(topic, request);
  if (request.type === 'incoming') return come(topic, request);
  const taken = topic.server !== undefined && send<TopicMessage>(topic.server as Pid<TopicMessage>, request);
  if (taken) topic.sent();
  return taken;
}

/** Hands a topic what has come over a link. False: nobody can take it, and it is not counted. */
export function come({ server }: Topic, incoming: Incoming): boolean {
  return server !== undefined && send<TopicMessage>(server as Pid<TopicMessage>, incoming);
}

/** A link to the relay of that name is made again, or has lost messages: of an ordered topic they can be asked for. */
export function resync(topic: Topic, node: string): void {
  tell(topic, { type: 'resync', node });
}

/** A member goes of itself, and hears no more. */
export function leave(topic: Topic, member: Pid<MemberMessage>): void {
  tell(topic, { type: 'leave', member });
}

/** A member's pending bytes are many, and nothing is sent until it has caught up; or it has. */
export function behind(topic: Topic, member: Pid<MemberMessage>, is: boolean): void {
  tell(topic, { type: is ? 'behind' : 'caught-up', member });
}

/** A member that is being resumed has taken what it was sent, and wants the next portion. */
export function portion(topic: Topic, member: Pid<MemberMessage>): void {
  tell(topic, { type: 'portion', member });
}

/** The other relays send what is published there, as far as they can be reached. */
export function interested(topic: Topic, round: number): void {
  tell(topic, { type: 'interested', round });
}

/** The other relays have judged a claim. False: the topic has ended meanwhile. */
export function judged(topic: Topic, claim: Claim, verdict: Verdict): boolean {
  return tell(topic, { type: 'judged', claim, verdict });
}

/** Ownership at other relays has changed. */
export function ownedElsewhere(topic: Topic, ownership: RemoteOwnership): void {
  tell(topic, { type: 'elsewhere', ownership });
}

/** Something has happened to the topic's line, behind all that has been published until now. */
export function change(topic: Topic, change: LineChange): void {
  tell(topic, { type: 'change', change });
}

/** A new router asks to be asked again whether the topic may go. */
export function wake(topic: Topic): void {
  tell(topic, { type: 'continue' });
}

/** The router lets the topic go, which nobody finds any more. */
export function retire(topic: Topic): void {
  const { server } = topic;
  topic.retire();
  if (server !== undefined) inform<TopicMessage>(server as Pid<TopicMessage>, { type: 'retire' });
}

/** Whether a topic has a server, or will have one again. */
export function isServed({ server }: Topic): boolean {
  return server !== undefined && !isGone(server);
}

/** Nobody is left to take the request, and whoever made it waits for an answer. */
export function refuse(
  request: Join | Claim,
  why: 'missing' | 'owned' | 'unavailable' = 'unavailable',
): void {
  const { type, member, name } = request;
  inform(member, { type: 'refused', action: type, name, why, ...echo(request) });
}

/** What an answer says of its request, so that it is not taken for that of another one for the same topic. */
function echo(request: Join | Claim): { readonly again?: true } {
  return request.type === 'join' && request.again !== undefined ? { again: true } : {};
}

/** For a topic whose server is not coming back: what waits is lost, and the members must find their way to the next one. */
export function abandonTopic({ topic, accounting, keys, now }: TopicServerArgs): void {
  // Before what waits is lost: those who come back ask for it, and hear that it is missing.
  const at = topic.line?.position ?? null;
  topic.fanOut.release({ accounting, uplink: null, keys, now }, 'crash');
  topic.retire();
  for (const member of topic.members.all()) {
    const coming = topic.members.coming.get(member);
    // One who has not been told of a gap comes back for what it has missed there.
    const stands = topic.members.owedTo(member)?.from ?? at;
    const position = coming === undefined ? stands : (topic.line?.number(coming.cursor.offset - 1) ?? null);
    inform(member, { type: 'lost', topic, at: position });
  }
  if (topic.lifetime.state === 'owned') inform(topic.lifetime.owner, { type: 'lost', topic, at });
  for (let next = topic.nextJoin(); next !== undefined; next = topic.nextJoin()) refuse(next);
  for (let next = topic.nextHeld(); next !== undefined; next = topic.nextHeld())
    turnAway(next, topic.name, accounting);
  if (topic.claiming !== undefined) refuse(topic.claiming);
}

/** Nobody takes a request. Whoever made it is told; of messages, it gets its credit back. */
export function turnAway(request: Request, topic: string, accounting: Accounting): void {
  switch (request.type) {
    case 'publish':
      lose(request, topic, accounting, 'refused');
      return;
    case 'incoming':
      accounting.lose(request.count, 'refused');
      letGo(request);
      return;
    case 'recall':
      answerNothing(request, accounting);
      return;
    default:
      refuse(request);
  }
}

/** Nothing is known here of the topic that a relay asks for. */
export function answerNothing({ member, answer }: Recall, accounting: Accounting): void {
  send(member, new Delivery(answer([], null), 0, accounting));
}

/** What came over a link is done with. */
function letGo({ link, credit }: Incoming): void {
  if (credit > 0) inform(link, { type: 'credit', bytes: credit });
}

function tell({ server }: Topic, message: TopicMessage): boolean {
  return server !== undefined && inform<TopicMessage>(server as Pid<TopicMessage>, message);
}

export type TopicMessage =
  | Request
  | { readonly type: 'leave' | 'behind' | 'caught-up' | 'portion'; readonly member: Pid<MemberMessage> }
  | Down
  | { readonly type: 'interested' | 'uninterested' | 'settled'; readonly round: number }
  | { readonly type: 'resync'; readonly node: string }
  | { readonly type: 'judged'; readonly claim: Claim; readonly verdict: Verdict }
  | { readonly type: 'change'; readonly change: LineChange }
  | { readonly type: 'elsewhere'; readonly ownership: RemoteOwnership }
  | { readonly type: 'continue' | 'grace-over' | 'retire' | 'lingered' | 'late' | 'held' };

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

interface State extends TopicServerArgs {
  readonly self: Self<TopicMessage>;
  readonly turn: Turn;
  /** The router has been asked, and nothing has come since. */
  asked: boolean;
  /** It was published to since `lingering` began: there is a timer for its end. */
  used: boolean;
  lingering: boolean;
  /** The round of interest that the other relays have confirmed. */
  confirmed: number;
  /** Tells one asking of how far the other relays are from the next. */
  settling: number;
  /** The epoch of this relay, among the relays, in which it has asked all others how far they are, and has begun none of the topic. */
  gathered: number | null;
  /** The relay that was asked last for what is missing; a timer says when it is late. */
  recalled: string | null;
  isTimed: boolean;
  /** When a member said that it is further than this relay. */
  aheadAt: number;
  /** A join that was taken as the server crashed: its death does not undo it. */
  takenInCrash: Join | undefined;
}

const serverBehaviour: Behaviour<TopicServerArgs, State, TopicMessage> = {
  name: 'topic-server',
  about: ({ topic }) => topic.toString(),

  init(self, args) {
    const { topic, accounting, elsewhere, keys } = args;
    const turn: Turn = { accounting, uplink: elsewhere?.uplink ?? null, keys, now: args.now };
    topic.serve(self);
    topic.fanOut.resume(turn);
    topic.members.refresh((member) => monitor(self, member));
    if (topic.lifetime.state === 'owned') monitor(self, topic.lifetime.owner);
    awaitEndOfGrace(topic, self);
    const ownership = elsewhere?.ownership(topic.realm, topic.name) ?? 'none';
    if (ownership !== 'none' && topic.lifetime.state === 'unowned')
      topic.become({ state: 'elsewhere', grace: ownership === 'grace' }, now(self));
    if (topic.interest === 'asked') tell(topic, { type: 'uninterested', round: topic.round });
    if (topic.claiming !== undefined) awaitJudgement(self, topic.claiming);
    // After a restart there may be messages to fan out, or nobody left.
    wake(topic);
    // Where messages start topics, one may be on its way.
    const used = isStartedByMessages(args);
    const state: State = {
      ...args,
      self,
      turn,
      asked: false,
      used,
      lingering: false,
      confirmed: 0,
      settling: 0,
      gathered: null,
      recalled: null,
      isTimed: false,
      aheadAt: Number.NEGATIVE_INFINITY,
      takenInCrash: undefined,
    };
    // What an earlier incarnation was waiting for, with its timers.
    if (topic.follower?.mode === 'settling') awaitSettling(state);
    else if (topic.held > 0) inform(self, { type: 'held' });
    if (topic.follower?.isWaiting === true) awaitAnswer(state);
    return state;
  },

  handle(state, message) {
    const { topic } = state;
    switch (message.type) {
      case 'publish':
        take(state, message);
        return keep;
      case 'join':
        arrive(state, message);
        return keep;
      case 'incoming':
        takeIncoming(state, message);
        return keep;
      case 'recall':
        recall(state, message);
        return keep;
      case 'resync':
        if (state.elsewhere?.home(topic) === message.node) catchUp(state, false);
        return keep;
      case 'settled':
        if (message.round === state.settling) settled(state);
        return keep;
      case 'late':
        isLate(state);
        return keep;
      case 'held':
        letIn(state);
        return keep;
      case 'interested':
        state.confirmed = message.round;
        // What is missing here has been asked for: who waited is told where it stands when that has come.
        if (topic.follower?.isAsking !== true) admit(state, message.round);
        return keep;
      case 'uninterested':
        admit(state, message.round);
        return keep;
      case 'judged':
        settleClaim(state, message.claim, message.verdict);
        return keep;
      case 'elsewhere':
        changeOwnership(state, message.ownership);
        return keep;
      case 'leave':
        remove(state, message.member);
        return keep;
      case 'behind':
        topic.fanOut.fallBehind(message.member);
        topic.members.coming.get(message.member)?.fallBehind(true);
        return keep;
      case 'caught-up':
        topic.fanOut.letGo(message.member);
        topic.members.coming.get(message.member)?.fallBehind(false);
        return keep;
      case 'portion':
        goOn(state, message.member);
        return keep;
      case 'change':
        if (topic.line !== null) topic.fanOut.push(message.change);
        return keep;
      case 'claim':
        takeClaim(state, message);
        return keep;
      case 'down':
        takeOut(topic, message.pid as Pid<MemberMessage>);
        ownerGone(state, message.pid as Pid<MemberMessage>);
        return keep;
      case 'grace-over':
        endOfGrace(state);
        return keep;
      case 'continue':
        state.asked = false;
        return keep;
      case 'lingered':
        state.lingering = false;
        return keep;
      case 'retire':
        // What was on its way when the router let the topic go has nobody to hear it here.
        while (isStartedByMessages(state) && topic.fanOut.queue.length > 0) fanOut(state);
        return stop('normal');
    }
  },

  settle(state): Next<State> {
    const { topic } = state;
    if (topic.loseInterest()) state.elsewhere?.unwanted(topic);
    // Who has left in this very turn leaves a topic that empties by its last messages: the two go together.
    topic.fanOut.pay(state.accounting);
    if (topic.fanOut.isReady) fanOut(state);
    if (!topic.isIdle) {
      state.asked = false;
    } else if (!state.asked && !lingers(state)) {
      state.asked = true;
      state.idle(topic);
    }
    return keep;
  },

  /** After a crash the successor takes all over. Ended with its supervisor, there is none. */
  terminate(state, reason) {
    if (reason === 'normal') state.topic.fanOut.release(state.turn, 'unheard');
    else if (reason === 'shutdown' || reason === 'killed') abandonTopic(state);
  },
};

/** The behaviour of all topic servers of one relay: what they leave in their mailboxes is counted in `accounting`. */
export function topicServer(accounting: Accounting): Behaviour<TopicServerArgs, State, TopicMessage> {
  return {
    ...serverBehaviour,
    undelivered(message, reason, state) {
      if (message.type === 'publish') {
        lose(message, state?.topic.name ?? '', accounting, reason === 'normal' ? 'unheard' : 'crash');
        state?.topic.fanOut.miss(message, state.now);
      } else if (message.type === 'join') undo(state, message);
      else if (message.type === 'claim' || message.type === 'incoming' || message.type === 'recall')
        turnAway(message, state?.topic.name ?? '', accounting);
    },
  };
}

/** A join that crashed the server is no more to be had; one that was under way as something else did is tried again. */
function undo(state: State | undefined, request: Join): void {
  if (state !== undefined && state.takenInCrash === request) state.takenInCrash = undefined;
  else refuse(request);
}

function fanOut(state: State): void {
  const { topic, turn } = state;
  if (topic.fanOut.run(turn)) wake(topic);
  if (topic.members.coming.size > 0) overtake(state);
}

/** Whether a topic that is not live is started for a message. */
function isStartedByMessages({ topic, elsewhere }: TopicServerArgs): boolean {
  return (
    (topic.line !== null && topic.line.ring !== null) || (elsewhere !== null && elsewhere.uplink !== null)
  );
}

/** A topic that is published to now and again is not started for every message. */
function lingers(state: State): boolean {
  if (!state.lingering && state.used) {
    state.used = false;
    state.lingering = true;
    sendAfter(state.self, LINGER, { type: 'lingered' });
  }
  return state.lingering;
}

/**
 * Puts a message into the topic's order, where the publisher may and where this relay makes the order. One order for all
 * relays is made by one of them: there the message goes, and comes back from there.
 */
function take(state: State, message: Publish): void {
  const { topic, accounting, elsewhere } = state;
  if (message.via === null && !mayPublish(topic.lifetime, message.from)) {
    const { from, receipt } = message;
    accounting.lose(1, 'refused');
    const refused = { type: 'refused', action: 'publish', name: topic.name, why: 'owned' } as const;
    // Before the credit, which an exchange takes for success.
    inform(from, receipt === undefined ? refused : { ...refused, receipt });
    giveBack(message);
    return;
  }
  if (elsewhere !== null && topic.isOrdered) {
    const own = message.via === null ? elsewhere.sequencer(topic) : null;
    const sequencer = message.via ?? own;
    const last = topic.sequencer;
    if (sequencer === null) {
      if (elsewhere.forward(topic, message)) giveBack(message);
      else lose(message, topic.name, accounting, 'unreachable');
      return;
    }
    if (last !== null && last !== sequencer && !elsewhere.mayFollow(topic, last, sequencer)) {
      lose(message, topic.name, accounting, 'stale');
      return;
    }
    if (own !== null && !leads(state, own) && !begins(state, own)) {
      topic.hold(message);
      settle(state);
      return;
    }
    if (own === null && topic.follower !== null && topic.follower.mode !== 'apart') {
      if (topic.follower.mode === 'settling') {
        lose(message, topic.name, accounting, 'stale');
        return;
      }
      drain(state);
      perform(state, topic.follower.goApart());
    }
    topic.follow(sequencer);
  }
  if (isStartedByMessages(state)) state.used = true;
  topic.fanOut.push(message);
}

/** Whether this relay, which is the home of the topic, knows how far the others are, and goes on from there. */
function leads({ topic, elsewhere }: State, { epoch }: Sequencer): boolean {
  const { follower, line } = topic;
  if (follower === null || line === null || elsewhere === null) return true;
  if (follower.mode !== 'leading' || line.ledIn === null) return false;
  if (line.ledIn !== epoch && !elsewhere.hasLed(line.ledIn)) return false;
  line.lead(epoch);
  return true;
}

/** The same, where nothing is to be published: whoever asks is told where the line stands. */
function isSettled(state: State, own: Sequencer): boolean {
  return leads(state, own) || hasGathered(state);
}

/** Whether this relay has asked the others how far they are, and none has been linked since that could be further. */
function hasGathered({ topic, elsewhere, gathered }: State): boolean {
  return topic.follower?.mode === 'following' && gathered !== null && elsewhere?.hasLed(gathered) === true;
}

/** The first message is published here since the others were asked: from here on this relay leads. */
function begins(state: State, own: Sequencer): boolean {
  if (!hasGathered(state) || state.topic.follower?.isWaiting === true) return false;
  lead(state, own);
  return true;
}

/** All that waits is fanned out, whoever is behind: what comes next depends on where the line stands. */
function drain(state: State): void {
  const { mode } = state.topic.follower ?? {};
  if (mode !== 'leading' && mode !== 'apart') return;
  while (state.topic.fanOut.queue.length > 0) state.topic.fanOut.run(state.turn);
}

/** What has come over a link. */
function takeIncoming(state: State, incoming: Incoming): void {
  const { topic, elsewhere, now } = state;
  const { follower } = topic;
  if (isStartedByMessages(state)) state.used = true;
  if (follower === null || elsewhere === null) {
    // The other relay's rules are not those of this one, which gives them its own positions.
    takeUnordered(state, incoming);
    return;
  }
  drain(state);
  const isHome = elsewhere.home(topic) === null;
  perform(state, follower.take(incoming, now(), isHome), incoming);
  if (follower.mode === 'settling') {
    if (follower.isAnswered) settled(state);
  } else if (!follower.isAsking) letIn(state);
}

function takeUnordered({ topic }: State, incoming: Incoming): void {
  const { messages, link, via, credit, isAnswer } = incoming;
  if (isAnswer || messages.length === 0) {
    letGo(incoming);
    return;
  }
  for (const [index, message] of messages.entries()) {
    const isLast = index === messages.length - 1;
    topic.fanOut.push({ type: 'publish', message, from: link, credit: isLast ? credit : 0, via });
  }
}

/** Does what the follower has decided. `incoming`: what that is about; its link gets its credit back with its last message. */
function perform(state: State, steps: readonly Step<Incoming>[], incoming?: Incoming): void {
  const { topic, accounting } = state;
  const { fanOut: queue, follower, line } = topic;
  const last = steps.findLast((step) => step.type === 'take' && step.batch === incoming);
  for (const step of steps) {
    switch (step.type) {
      case 'take': {
        const { batch, from, to, isFill } = step;
        const { messages, link, via } = batch;
        topic.follow(via);
        for (let i = from; i < to; i++) {
          const credit = step === last && i === to - 1 ? batch.credit : 0;
          const message = messages[i] as Message;
          const one = { type: 'publish', message, from: link, credit, via } as const;
          queue.push(isFill ? { ...one, isFill } : one);
        }
        break;
      }
      case 'change':
        queue.push(step.change);
        break;
      case 'filled':
        queue.push({ type: 'skip', why: 'link' });
        break;
      case 'lose':
        accounting.lose(step.count, step.why);
        break;
      case 'ask':
        ask(state, step.relay, false);
        break;
      case 'settle':
        askAll(state);
    }
  }
  if (incoming !== undefined && last === undefined) letGo(incoming);
  if (follower?.mode !== 'leading') line?.lead(null);
}

/** Asks the home for what is missing here. False: it cannot be asked. `isFilling`: nobody here is a member. */
function catchUp(state: State, isFilling: boolean): boolean {
  const { topic, elsewhere } = state;
  const home = elsewhere?.home(topic) ?? null;
  if (home === null || topic.follower?.mode === 'settling') return false;
  drain(state);
  return ask(state, home, isFilling);
}

function ask(state: State, relay: string, isFilling: boolean): boolean {
  const { topic, elsewhere, now } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null) return false;
  if (elsewhere.recall(topic, follower.since, relay).length === 0) {
    follower.asksNobody();
    return false;
  }
  state.recalled = relay;
  follower.asks(now(), isFilling);
  awaitAnswer(state);
  return true;
}

function awaitAnswer(state: State): void {
  if (state.isTimed) return;
  state.isTimed = true;
  sendAfter(state.self, PATIENCE, { type: 'late' });
}

/** What was asked for may be late, and is given up then. */
function isLate(state: State): void {
  const { topic, elsewhere, recalled, now } = state;
  const { follower } = topic;
  state.isTimed = false;
  if (follower === null) return;
  perform(state, follower.expire(now(), recalled !== null && elsewhere?.isLinked(recalled) === true));
  if (!follower.isAsking) letIn(state);
  if (follower.isWaiting) awaitAnswer(state);
}

/** This relay is the home of the topic now: before it gives positions, or tells others where the line stands, it asks the others how far they are. */
function settle(state: State): void {
  const { follower } = state.topic;
  if (follower === null || follower.mode === 'settling') return;
  drain(state);
  follower.settle();
  askAll(state);
}

function askAll(state: State): void {
  const { topic, elsewhere } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null) return;
  follower.awaits(elsewhere.recall(topic, follower.since, null));
  if (follower.isAnswered) settled(state);
  else awaitSettling(state);
}

function awaitSettling(state: State): void {
  sendAfter(state.self, SETTLING_TIMEOUT, { type: 'settled', round: ++state.settling });
}

/** All have said how far they are, or have had the time to: what was held goes on. */
function settled(state: State): void {
  const { topic, elsewhere, now } = state;
  const { follower, line } = topic;
  if (follower?.mode !== 'settling' || elsewhere === null || line === null) return;
  const own = elsewhere.sequencer(topic);
  if (own === null) {
    perform(state, follower.abandon());
    catchUp(state, false);
  } else if (topic.holdsMessages) {
    lead(state, own);
  } else {
    perform(state, follower.stand(now()));
    state.gathered = own.epoch;
    if (topic.follower?.mode === 'leading') line.lead(own.epoch);
  }
  letIn(state);
}

function lead(state: State, own: Sequencer): void {
  const { topic, now } = state;
  const { follower, line } = topic;
  if (follower === null || line === null) return;
  state.gathered = null;
  perform(state, follower.lead(now()));
  line.lead(own.epoch);
  topic.follow(own);
}

/** What was held because it was not known how far the other relays are. */
function letIn(state: State): void {
  const { topic } = state;
  const { follower } = topic;
  if (follower === null || follower.mode === 'settling') return;
  const { groups, coming } = topic.members;
  // What has been asked for is all here before the first member is told where it stands.
  if (groups.length === 0 && coming.size === 0) while (topic.fanOut.isReady) fanOut(state);
  if (topic.interest === 'asked' && state.confirmed === topic.round) admit(state, topic.round);
  for (let left = topic.held; left > 0 && topic.held > 0; left--) {
    const next = topic.nextHeld();
    if (next?.type === 'publish') take(state, next);
    else if (next?.type === 'join') enter(state, next);
    else if (next !== undefined) answer(state, next);
  }
}

/** Another relay asks for what is kept here. */
function recall(state: State, request: Recall): void {
  const { topic, elsewhere } = state;
  const { follower } = topic;
  topic.arrived();
  state.asked = false;
  const own = follower === null ? null : (elsewhere?.sequencer(topic) ?? null);
  const isFar = own === null || (isSettled(state, own) && follower?.isBehind(request.since) === false);
  if (follower?.mode !== 'settling' && isFar) {
    answer(state, request);
    return;
  }
  topic.hold(request);
  settle(state);
}

/** Sends another relay what is kept behind where it stands, and where the line stands. */
function answer(state: State, request: Recall): void {
  const { topic, accounting, histories } = state;
  const { follower, line } = topic;
  // A line that nothing has been published to, and that nobody was told of, counts for nobody.
  if (follower === null || line === null || follower.mode === 'apart' || follower.since === '') {
    answerNothing(request, accounting);
    return;
  }
  // What waits comes behind the answer otherwise, over the same link.
  if (topic.fanOut.isReady) fanOut(state);
  const { member, since } = request;
  const say = (messages: readonly Message[], first: number) => {
    const place = { epoch: line.epoch, first, lineage: line.lineage };
    const { length } = messages;
    accounting.attempt(length);
    const delivery = new Delivery(request.answer(messages, place), length, accounting);
    if (!send(member, delivery)) accounting.drop(length, 'gone');
  };
  const cursor = line.behind(sharedOf(line, since), histories.resumeLimit)?.copy();
  let run: Message[] = [];
  let bytes = 0;
  let first = 0;
  for (let entry = cursor?.peek() ?? null; entry !== null; entry = cursor?.peek() ?? null) {
    if (run.length > 0 && (entry.type === 'hole' || bytes >= PORTION)) {
      say(run, first);
      run = [];
      bytes = 0;
    }
    if (entry.type === 'message') {
      if (run.length === 0) first = entry.offset;
      run.push(entry.message);
      bytes += entry.message.payload.length;
    }
    cursor?.pass();
  }
  if (run.length > 0) say(run, first);
  say([], line.last + 1);
}

/** A join from the router. The first of a local member waits until the other relays know that there is one. */
function arrive(state: State, request: Join): void {
  const { topic, self, elsewhere } = state;
  topic.arrived();
  state.asked = false;
  if (elsewhere?.alone === true && request.format.remote !== true && topic.interest === 'none')
    topic.holdInterest();
  if (elsewhere === null || request.format.remote === true || topic.interest === 'held') {
    join(state, request);
    return;
  }
  const round = topic.await(request);
  if (round === null) return;
  elsewhere.wanted(topic, round);
  if (topic.follower !== null) catchUp(state, true);
  sendAfter(self, INTEREST_TIMEOUT, { type: 'uninterested', round });
}

/** The other relays know, or have not said so in time: who waited comes in. */
function admit(state: State, round: number): void {
  const { topic } = state;
  if (topic.interest !== 'asked' || topic.round !== round) return;
  // A crash on the way leaves the rest to the next incarnation.
  for (let next = topic.nextJoin(); next !== undefined; next = topic.nextJoin()) join(state, next);
  topic.holdInterest();
}

function join(state: State, request: Join): void {
  if (!waits(state, request)) enter(state, request);
}

/** Whether a join is held until it is known how far the other relays are. */
function waits(state: State, request: Join): boolean {
  const { topic, elsewhere, self } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null || request.format.remote === true) return false;
  const own = elsewhere.sequencer(topic);
  if (follower.mode === 'settling' || (own !== null && !isSettled(state, own))) {
    topic.hold(request);
    settle(state);
    return true;
  }
  const { since } = request;
  if (typeof since !== 'object' || !follower.isAhead(since)) return false;
  if (!follower.isAsking) {
    const time = state.now();
    if (time - state.aheadAt < RECALL_PERIOD) return false;
    state.aheadAt = time;
    if (!catchUp(state, false)) return false;
  }
  topic.hold(request);
  sendAfter(self, SETTLING_TIMEOUT, { type: 'held' });
  return true;
}

function enter(state: State, asked: Join): void {
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
  const { version, last } = line;
  const known = { offset: last, version };
  let replay: Replay;
  let rendered: Rendered | null;
  try {
    replay = resumeAt(state, line, request);
    const { from } = replay;
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

/** What a member gets that asks for `since`. While something is missing here, nobody is told that nothing is. */
function resumeAt(
  { topic, histories, now }: State,
  line: Line,
  { since = 'now', format }: Pick<Join, 'since' | 'format'>,
): Replay {
  const replay = withoutUncarried(
    line.resume(since, now(), histories.resumeLimit),
    format,
    line,
    histories.replays,
  );
  if (topic.follower?.isAsking !== true || replay.resumption.recovered !== true) return replay;
  return { ...replay, resumption: { ...replay.resumption, recovered: false, missed: null, why: 'link' } };
}

/** What the member's format cannot carry is missing for the member. */
function withoutUncarried(replay: Replay, format: Format, line: Line, replays: Replays): Replay {
  const { resumption, from, messages } = replay;
  if (resumption.recovered === undefined || from === null || format.gap === undefined) return replay;
  const count = replays.uncarried(line, format, from);
  if (count === 0) return replay;
  const { missed = 0, why = 'undeliverable' } = resumption;
  return {
    resumption: { ...resumption, recovered: false, missed: missed === null ? null : missed + count, why },
    from,
    messages: messages - count,
  };
}

/** A member that is being resumed wants the next portion. */
function goOn(state: State, member: Pid<MemberMessage>): void {
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

/** Members that are being resumed, and are left behind: more waits for them than may be replayed at all. */
function overtake(state: State): void {
  const { topic, histories } = state;
  const { line, members } = topic;
  if (line === null || line.ring === null) return;
  for (const [member, { cursor, breaks }] of members.coming)
    if (line.ring.bytesBehind(cursor) > histories.resumeLimit + PORTION || breaks !== line.breaks)
      leaveBehind(state, member);
}

function leaveBehind({ topic }: State, member: Pid<MemberMessage>): void {
  demonitor(takeOut(topic, member));
  inform(member, { type: 'too-slow', topic });
}

function remove(state: State, member: Pid<MemberMessage>): void {
  const { topic } = state;
  try {
    // What was published before it left was published to it.
    if (topic.fanOut.isReady) fanOut(state);
  } finally {
    demonitor(takeOut(topic, member));
  }
}

function takeOut(topic: Topic, member: Pid<MemberMessage>): MonitorRef | null {
  topic.fanOut.letGo(member);
  return topic.members.remove(member) ?? null;
}

/** Somebody wants to be the owner; where there are other relays, they are asked. */
function takeClaim(state: State, request: Claim): void {
  const { topic, self, elsewhere } = state;
  const { lifetime } = topic;
  topic.arrived();
  state.asked = false;
  // Whether an owner elsewhere is still there is known best elsewhere.
  const isTaken = lifetime.state !== 'elsewhere' && claim(lifetime, request.member, request.grace) === null;
  if (topic.claiming !== undefined || isTaken) {
    refuse(request, 'owned');
  } else if (elsewhere === null || elsewhere.alone) {
    own(state, request);
  } else {
    topic.ask(request);
    elsewhere.claim(topic, request);
    awaitJudgement(self, request);
  }
}

/** Whoever judges a claim may crash, and so may the server that has asked, with its timers. */
function awaitJudgement(self: Self<TopicMessage>, claim: Claim): void {
  sendAfter(self, CLAIM_TIMEOUT, { type: 'judged', claim, verdict: 'unavailable' });
}

/** The other relays have judged a claim, or it took them too long. */
function settleClaim(state: State, request: Claim, verdict: Verdict): void {
  const { topic, elsewhere } = state;
  const isAwaited = topic.judged(request);
  if (isAwaited && verdict === 'granted' && isAlive(request.member)) {
    own(state, request);
    return;
  }
  if (isAwaited && verdict !== 'granted') refuse(request, verdict);
  // What was granted too late, or may still be, must not stand for an owner that is not there.
  const hasOwner = topic.claiming !== undefined || topic.lifetime.state === 'owned';
  if (verdict !== 'owned' && !hasOwner) elsewhere?.released(topic);
}

function own({ topic, self }: State, request: Claim): void {
  const { member, grace } = request;
  const lifetime = claim(topic.lifetime, member, grace);
  if (lifetime === null) {
    refuse(request, 'owned');
    return;
  }
  topic.become(lifetime, now(self));
  monitor(self, member);
  inform(member, { type: 'claimed', topic });
}

/** What other relays say of the topic's owner counts for all that is not owned here, and here it ends an owner. */
function changeOwnership({ topic, self }: State, ownership: RemoteOwnership): void {
  const { lifetime } = topic;
  if (ownership !== 'none') {
    if (lifetime.state === 'owned')
      inform(lifetime.owner, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    topic.become({ state: 'elsewhere', grace: ownership === 'grace' }, now(self));
  } else if (lifetime.state === 'elsewhere') {
    end(topic, self);
  }
}

/** Whoever died may have been the owner: then its grace begins. */
function ownerGone({ topic, self, elsewhere }: State, pid: Pid<MemberMessage>): void {
  const lifetime = ownerLeft(topic.lifetime, pid, now(self));
  if (lifetime === topic.lifetime) return;
  topic.become(lifetime, now(self));
  awaitEndOfGrace(topic, self);
  elsewhere?.released(topic);
}

/** Sets the timer for the end of a grace, if there is one. */
function awaitEndOfGrace({ lifetime }: Topic, self: Self<TopicMessage>): void {
  if (lifetime.state === 'grace')
    sendAfter(self, Math.ceil(lifetime.until - now(self)), { type: 'grace-over' });
}

/** The timer of a grace that another owner has ended comes too, and finds nothing to do. */
function endOfGrace({ topic, self }: State): void {
  if (hasEnded(topic.lifetime, now(self))) end(topic, self);
  // A timer may ring a moment early.
  else awaitEndOfGrace(topic, self);
}

/** The topic has no owner any more: those who were there for the owner are told. */
function end(topic: Topic, self: Self<TopicMessage>): void {
  topic.become(unowned, now(self));
  for (const member of topic.members.whileOwned()) {
    demonitor(takeOut(topic, member));
    inform(member, { type: 'ended', topic });
  }
}
