import test from 'ava';
import fc from 'fast-check';
import type { LinkMessage } from '../../../src/cluster/backplane.ts';
import { Claims, wins } from '../../../src/cluster/claims.ts';
import { Conversation, type ConversationEffect } from '../../../src/cluster/nats/conversation.ts';
import { Owners, type OwnersEvent } from '../../../src/cluster/owners.ts';
import { claimsFrames, encodePeerFrame, type PeerFrame } from '../../../src/door/peer/codec.ts';
import { Topic } from '../../../src/topic/topic.ts';

/** Milliseconds. */
const BEAT = 100;
const TIMEOUT = 300;
const GRACE = 200;
const ASK_TIMEOUT = 250;

const topic = new Topic('main', 't');
const alive: PeerFrame = { type: 'heartbeat', last: 0, received: 0 };

/** Relays over a NATS that loses nothing, as their link has them speak; each may stand still for a while. */
class NatsWorld {
  readonly relays: readonly ModelRelay[];
  now = 0;

  constructor(nodes: readonly string[]) {
    this.relays = nodes.map((node) => new ModelRelay(this, node));
    for (const relay of this.relays) relay.start();
    this.pass(500);
  }

  /** Lets time pass, a heartbeat at a time. */
  pass(time: number): void {
    for (const end = this.now + time; this.now < end; this.now += BEAT) {
      for (const relay of this.relays) relay.tick();
      while (this.relays.some((relay) => relay.hear()));
    }
  }

  get owners(): readonly ModelRelay[] {
    return this.relays.filter(({ claims }) => claims.own(topic)?.state === 'owned');
  }
}

class ModelRelay {
  readonly claims: Claims;
  stands = false;
  readonly #world: NatsWorld;
  readonly #node: string;
  readonly #owners: Owners;
  readonly #conversation: Conversation;
  readonly #link = { id: 1 };
  readonly #inbox: (() => void)[] = [];
  #timers: { readonly at: number; readonly then: () => void }[] = [];

  constructor(world: NatsWorld, node: string) {
    this.#world = world;
    this.#node = node;
    this.claims = new Claims(node);
    this.#owners = new Owners(this.claims);
    this.#conversation = new Conversation({ node, incarnation: node }, new Set(), world.now);
  }

  start(): void {
    this.#sayToAll(null);
    this.#step({ type: 'attach', link: this.#link, node: null });
  }

  claim(): void {
    const request = { type: 'claim', name: 't', member: { id: 1 }, grace: GRACE } as const;
    this.#step({ type: 'claim', topic, request, since: this.#world.now });
  }

  leave(): void {
    this.#step({ type: 'released', topic });
  }

  /** What came while it stood still is read first, or the clock is, which then misses everybody. */
  wake(clockFirst: boolean): void {
    this.stands = false;
    if (clockFirst) this.tick();
    while (this.hear());
  }

  tick(): void {
    if (this.stands) return;
    const { now } = this.#world;
    const due = this.#timers.filter(({ at }) => at <= now);
    this.#timers = this.#timers.filter(({ at }) => at > now);
    for (const { then } of due) then();
    this.#sayToAll(alive);
    this.#perform(this.#conversation.silent(now, TIMEOUT));
  }

  /** Takes what came first. */
  hear(): boolean {
    const first = this.stands ? undefined : this.#inbox.shift();
    first?.();
    return first !== undefined;
  }

  #step(event: OwnersEvent): void {
    for (const effect of this.#owners.step(event, this.#world.now)) {
      if (effect.type === 'tell') this.#tell(effect.message);
      else if (effect.type === 'answer') effect.answer(effect.granted);
      else if (effect.type === 'later') this.#later(effect.delay, () => this.#step(effect.event));
    }
  }

  #tell(message: LinkMessage): void {
    if (message.type !== 'claims') return;
    const { ref } = message;
    for (const frame of claimsFrames(message)) this.#sayToAll(frame);
    if (ref === 0) return;
    this.#perform(this.#conversation.ask(ref, this.#world.now));
    this.#later(ASK_TIMEOUT, () => this.#perform(this.#conversation.askedEnough(ref)));
  }

  #perform(effects: readonly ConversationEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'unlinked':
          this.#step({ type: 'unheard', node: effect.node });
          break;
        case 'tell-all':
          this.#step({ type: 'attach', link: this.#link, node: null });
          break;
        case 'ask-all':
          this.#say(effect.incarnation, null);
          break;
        case 'announced': {
          const { ask } = effect;
          const answer = (granted: boolean) => {
            if (ask !== null) this.#say(ask.incarnation, { type: 'verdict', ref: ask.ref, granted });
          };
          this.#step({ ...effect, answer: ask === null ? null : answer });
          break;
        }
        case 'judged':
          this.#step({ ...effect, type: 'verdict', link: this.#link });
          break;
      }
    }
  }

  #sayToAll(frame: PeerFrame | null): void {
    for (const other of this.#world.relays) if (other !== this) this.#say(other.#node, frame);
  }

  #say(node: string, frame: PeerFrame | null): void {
    const other = this.#world.relays.find((relay) => relay.#node === node);
    const from = { node: this.#node, incarnation: this.#node };
    const data = frame === null ? null : encodePeerFrame(frame);
    if (other === undefined) throw new Error(`there is no ${node}`);
    other.#inbox.push(() => other.#perform(other.#conversation.heard(from, data, this.#world.now)));
  }

  #later(delay: number, then: () => void): void {
    this.#timers.push({ at: this.#world.now + delay, then });
  }
}

const action = fc.record({
  act: fc.constantFrom('claim', 'claim', 'leave', 'stand', 'stand', 'wake', 'pass', 'pass', 'pass'),
  place: fc.nat({ max: 2 }),
  time: fc.constantFrom(BEAT, TIMEOUT, TIMEOUT + GRACE, 1000),
  clockFirst: fc.boolean(),
});

test('whoever stood still, and whoever noticed it, a topic has one owner again, by the rule, and every relay knows', (t) => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), fc.boolean(), (actions, clockFirst) => {
      const world = new NatsWorld(['a', 'b', 'c']);
      for (const { act, place, time, clockFirst: late } of actions) {
        const relay = world.relays[place] as ModelRelay;
        if (act === 'pass') world.pass(time);
        else if (act === 'wake') relay.wake(late);
        else if (act === 'stand') relay.stands = true;
        else if (!relay.stands) relay[act]();
      }
      // What is asked is answered by those that do not stand still.
      world.pass(1000);
      const rivals = world.owners.flatMap(({ claims }) => claims.own(topic) ?? []);
      const isAsked = world.relays.some(({ claims }) => claims.own(topic)?.state === 'asked');
      for (const relay of world.relays) if (relay.stands) relay.wake(clockFirst);
      world.pass(2000);
      const [owner, ...others] = world.owners;
      t.deepEqual(others, []);
      const won = rivals.find((one) => rivals.every((other) => one === other || wins(one, other)));
      if (!isAsked) t.is(owner?.claims.node, won?.node);
      for (const { claims } of world.relays) {
        const known = [...claims.of(topic)].map(({ node, state }) => [node, state]);
        t.deepEqual(known, owner === undefined ? [] : [[owner.claims.node, 'owned']]);
      }
    }),
    { numRuns: 300 },
  );
});
